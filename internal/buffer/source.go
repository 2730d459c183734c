package buffer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/lorry-mqtt/lorry/internal/natsconn"
)

// sourceBucket keeps what is known of each connection's Network Server end.
const sourceBucket = "lorry_sources"

// Source is what has to be known of a connection's Network Server end after a restart, and is not in its frames.
type Source struct {
	// Heard is until when everything that the Network Server sent is known to be stored, by our clock in Unix
	// seconds: a session was up then, and quiet. 0: not known. A busy connection's frames tell more.
	Heard float64 `json:"heard"`
	// Replay and Owed are of a replay that is not through: from when on it was asked for, and from when on
	// something may really be missing, in Unix seconds of the Network Server's clock; 0: there is none.
	Replay float64 `json:"replay"`
	Owed   float64 `json:"owed"`
	// Replayed is the last replay that is through: frames up to the number Last may be as old as From.
	Replayed struct {
		From float64 `json:"from"`
		Last uint64  `json:"last"`
	} `json:"replayed"`
	Gaps []Gap `json:"gaps"` // the newest last
}

// Gap is a stretch of time of which frames are, or may be, missing.
type Gap struct {
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Types  string    `json:"types"`  // which messages
	Reason string    `json:"reason"` // in a word
	// ClosedAt is when everything missing had been fetched after all; nil while, or if, it has not.
	ClosedAt *time.Time `json:"closed_at"`
}

// LoadSource returns what is known of a connection's Network Server end, and the revision to save the next by. Both
// are zero when nothing is.
func (s *Store) LoadSource(ctx context.Context, id string) (Source, uint64, error) {
	entry, err := s.sources.Get(ctx, id)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Source{}, 0, nil
	}
	if err != nil {
		return Source{}, 0, fmt.Errorf("load the source record of connection %s: %w", id, err)
	}
	var source Source
	if err := json.Unmarshal(entry.Value(), &source); err != nil {
		return Source{}, 0, fmt.Errorf("load the source record of connection %s: %w", id, err)
	}
	return source, entry.Revision(), nil
}

// SaveSource stores it on condition that revision is still the newest, and returns the new one; else ErrStale. After
// any other error it is unknown whether it was stored.
func (s *Store) SaveSource(ctx context.Context, id string, source Source, revision uint64) (uint64, error) {
	value, err := json.Marshal(source)
	if err != nil {
		return 0, fmt.Errorf("save the source record of connection %s: %w", id, err)
	}
	next, err := s.sources.Update(ctx, id, value, revision)
	if err == nil {
		return next, nil
	}
	if natsconn.IsWrongLastSequence(err) {
		err = ErrStale
	}
	return 0, fmt.Errorf("save the source record of connection %s at revision %d: %w", id, revision, err)
}

// openSources makes the bucket or opens the one that is there.
func openSources(ctx context.Context, js jetstream.JetStream, replicas int) (jetstream.KeyValue, error) {
	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket:      sourceBucket,
		Description: "how far each connection's Network Server end is known to have been read",
		Storage:     jetstream.FileStorage,
		Replicas:    replicas,
	})
	if err != nil {
		return nil, fmt.Errorf("open key-value bucket %s: %w", sourceBucket, err)
	}
	return kv, nil
}
