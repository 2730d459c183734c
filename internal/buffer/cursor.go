package buffer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/lorry-mqtt/lorry/internal/natsconn"
)

// ErrStale says that a cursor was moved by another writer since it was read: this one must stop.
var ErrStale = errors.New("the cursor was moved by another writer")

// Cursor is how far a connection's frames are settled. A frame is settled when the broker has acknowledged it, or when
// it lies where it is not lost: aside (see [Aside]) or parked (see [Parked]).
type Cursor struct {
	Position          // the last frame that is settled with all before it
	Time     float64  // the frame's meta.time, Unix seconds of the Network Server's clock
	Settled  []uint64 // frames behind it that are settled too, ascending
	Aside    Position // the last frame aside that is settled with all before it
	Epoch    uint64   // counts the connection's owners
}

// storedCursor is a cursor's form in JetStream.
type storedCursor struct {
	Seq         uint64   `json:"seq"`
	Number      uint64   `json:"number"`
	Time        float64  `json:"time"`
	Settled     []uint64 `json:"settled,omitempty"`
	AsideSeq    uint64   `json:"aside_seq,omitempty"`
	AsideNumber uint64   `json:"aside_number,omitempty"`
	Epoch       uint64   `json:"epoch"`
}

func (c Cursor) stored() storedCursor {
	return storedCursor{c.Seq, c.Number, c.Time, c.Settled, c.Aside.Seq, c.Aside.Number, c.Epoch}
}

func (s storedCursor) cursor() Cursor {
	return Cursor{
		Position: Position{Number: s.Number, Seq: s.Seq}, Time: s.Time, Settled: s.Settled,
		Aside: Position{Number: s.AsideNumber, Seq: s.AsideSeq}, Epoch: s.Epoch,
	}
}

// Cursors keeps the cursors of all connections in a JetStream key-value bucket.
type Cursors struct {
	js jetstream.JetStream
	kv jetstream.KeyValue
}

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
	return &Cursors{js: js, kv: kv}, nil
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
	return s.cursor(), entry.Revision(), nil
}

// Save stores a connection's cursor on condition that revision is still the newest, and returns the new
// revision; else ErrStale. After any other error it is unknown whether it was stored.
func (c *Cursors) Save(ctx context.Context, id string, cursor Cursor, revision uint64) (uint64, error) {
	value, err := json.Marshal(cursor.stored())
	if err != nil {
		return 0, fmt.Errorf("save the cursor of connection %s: %w", id, err)
	}
	// A revision of 0 asks that there be none yet.
	next, err := c.kv.Update(ctx, id, value, revision)
	if natsconn.IsWrongLastSequence(err) {
		return 0, fmt.Errorf("save the cursor of connection %s at revision %d: %w", id, revision, ErrStale)
	}
	if err != nil {
		return 0, fmt.Errorf("save the cursor of connection %s: %w", id, err)
	}
	return next, nil
}
