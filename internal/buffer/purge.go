package buffer

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Purge removes all that is stored of a connection: its frames, those aside, and what is known of its Network
// Server's end. Nobody may append to it any more.
func (s *Store) Purge(ctx context.Context, id string) error {
	if err := s.stream.Purge(ctx, jetstream.WithPurgeSubject("*."+id)); err != nil {
		return fmt.Errorf("purge the buffer of connection %s: %w", id, err)
	}
	if err := purgeKey(ctx, s.js, sourceBucket, id); err != nil {
		return fmt.Errorf("purge the source record of connection %s: %w", id, err)
	}
	return nil
}

// Purge removes a connection's cursor without a trace: the next one of this ID begins at revision 0 again.
func (c *Cursors) Purge(ctx context.Context, id string) error {
	if err := purgeKey(ctx, c.js, cursorBucket, id); err != nil {
		return fmt.Errorf("purge the cursor of connection %s: %w", id, err)
	}
	return nil
}

// Purge drops all parked frames of a connection.
func (p *Parked) Purge(ctx context.Context, id string) error {
	if err := p.stream.Purge(ctx, jetstream.WithPurgeSubject(parkedPrefix+id)); err != nil {
		return fmt.Errorf("purge the parked frames of connection %s: %w", id, err)
	}
	return nil
}

// purgeKey removes a key from a bucket and leaves no marker, which would count as a revision.
func purgeKey(ctx context.Context, js jetstream.JetStream, bucket, key string) error {
	stream, err := js.Stream(ctx, "KV_"+bucket)
	if err != nil {
		return err
	}
	return stream.Purge(ctx, jetstream.WithPurgeSubject("$KV."+bucket+"."+key))
}
