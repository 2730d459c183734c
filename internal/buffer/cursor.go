package buffer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrStale says that a cursor was moved by another writer since it was read: this one must stop.
var ErrStale = errors.New("the cursor was moved by another writer")

// Cursor is the last frame of a connection that the broker has acknowledged together with all before it.
type Cursor struct {
	Position
	Time  float64 // the frame's meta.time, Unix seconds of the Network Server's clock
	Epoch uint64  // counts the connection's owners
}

// storedCursor is a cursor's form in JetStream.
type storedCursor struct {
	Seq    uint64  `json:"seq"`
	Number uint64  `json:"number"`
	Time   float64 `json:"time"`
	Epoch  uint64  `json:"epoch"`
}

// Cursors keeps the cursors of all connections in a JetStream key-value bucket.
type Cursors struct{ kv jetstream.KeyValue }

// OpenCursors makes the bucket or opens the one that is there.
func OpenCursors(ctx context.Context, js jetstream.JetStream, replicas int) (*Cursors, error) {
	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket:      cursorBucket,
		Description: "the last frame of each connection acknowledged with all before it",
		Storage:     jetstream.FileStorage,
		Replicas:    replicas,
	})
	if err != nil {
		return nil, fmt.Errorf("open key-value bucket %s: %w", cursorBucket, err)
	}
	return &Cursors{kv: kv}, nil
}

// Load returns a connection's cursor and the revision to save the next one by. Both are zero when it has none.
func (c *Cursors) Load(ctx context.Context, id string) (Cursor, uint64, error) {
	entry, err := c.kv.Get(ctx, id)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Cursor{}, 0, nil
	}
	if err != nil {
		return Cursor{}, 0, fmt.Errorf("load the cursor of connection %s: %w", id, err)
	}
	var s storedCursor
	if err := json.Unmarshal(entry.Value(), &s); err != nil {
		return Cursor{}, 0, fmt.Errorf("load the cursor of connection %s: %w", id, err)
	}
	return Cursor{Position: Position{Number: s.Number, Seq: s.Seq}, Time: s.Time, Epoch: s.Epoch}, entry.Revision(), nil
}

// Save stores a connection's cursor on condition that revision is still the newest, and returns the new
// revision; else ErrStale. After any other error it is unknown whether it was stored.
func (c *Cursors) Save(ctx context.Context, id string, cursor Cursor, revision uint64) (uint64, error) {
	value, err := json.Marshal(storedCursor{Seq: cursor.Seq, Number: cursor.Number, Time: cursor.Time, Epoch: cursor.Epoch})
	if err != nil {
		return 0, fmt.Errorf("save the cursor of connection %s: %w", id, err)
	}
	// A revision of 0 asks that there be none yet.
	next, err := c.kv.Update(ctx, id, value, revision)
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence {
		return 0, fmt.Errorf("save the cursor of connection %s at revision %d: %w", id, revision, ErrStale)
	}
	if err != nil {
		return 0, fmt.Errorf("save the cursor of connection %s: %w", id, err)
	}
	return next, nil
}
