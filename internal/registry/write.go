package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/natsconn"
)

// idLength is that of the IDs made here: 80 bits, so that two never meet.
const idLength = 16

// NewID makes an ID for a connection that has none.
func NewID() string { return strings.ToLower(rand.Text()[:idLength]) }

// Create stores a connection that is not there yet, else ErrExists. The spec must be valid.
func (r *Registry) Create(ctx context.Context, spec connection.Spec) (*Entry, error) {
	if _, static := r.static[spec.ID]; static {
		return nil, fmt.Errorf("create connection %q: %w", spec.ID, ErrExists)
	}
	entry, err := r.store(ctx, spec, r.revisionOfMarker(spec.ID))
	if errors.Is(err, ErrConflict) { // what is there is not what is known here
		var revision uint64
		if revision, err = r.vacant(ctx, spec.ID); err == nil {
			entry, err = r.store(ctx, spec, revision)
		}
	}
	if errors.Is(err, ErrConflict) { // another was faster
		err = ErrExists
	}
	if err != nil {
		return nil, fmt.Errorf("create connection %q: %w", spec.ID, err)
	}
	return entry, nil
}

// revisionOfMarker returns that of the marker that one of this ID was forgotten, as far as it is known here; else 0.
func (r *Registry) revisionOfMarker(id string) uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if known := r.records[id]; known != nil && known.operation == jetstream.KeyValuePurge {
		return known.revision
	}
	return 0
}

// vacant returns the revision at which nothing is stored under an ID: 0, or that of a marker that one was forgotten.
func (r *Registry) vacant(ctx context.Context, id string) (uint64, error) {
	history, err := r.kv.History(ctx, id)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	switch last := history[len(history)-1]; last.Operation() {
	case jetstream.KeyValuePurge:
		return last.Revision(), nil
	case jetstream.KeyValueDelete:
		return 0, ErrLeaving
	default:
		return 0, ErrExists
	}
}

// Update replaces a connection that nobody has changed since the revision, else ErrConflict. The spec must be valid.
func (r *Registry) Update(ctx context.Context, spec connection.Spec, revision uint64) (*Entry, error) {
	if err := r.writable(spec.ID); err != nil {
		return nil, err
	}
	entry, err := r.store(ctx, spec, revision)
	if err != nil {
		return nil, fmt.Errorf("update connection %q: %w", spec.ID, err)
	}
	return entry, nil
}

// Delete removes a connection that nobody has changed since the revision, else ErrConflict. Whoever runs it ends it,
// purges what it left, and calls [Registry.Forget].
func (r *Registry) Delete(ctx context.Context, id string, revision uint64) error {
	if err := r.writable(id); err != nil {
		return err
	}
	if err := r.kv.Delete(ctx, id, jetstream.LastRevision(revision)); err != nil {
		return fmt.Errorf("delete connection %q: %w", id, conflict(err))
	}
	r.note(id, nil, jetstream.KeyValueDelete, revision+1) // at least: the watch brings the real one
	return nil
}

// Forget removes the last trace of a deleted connection: its ID is free again.
func (r *Registry) Forget(ctx context.Context, id string) error {
	r.mu.RLock()
	paused := r.records[id+pausedSuffix].present()
	r.mu.RUnlock()
	if paused {
		if err := r.kv.Purge(ctx, id+pausedSuffix, jetstream.PurgeTTL(markerTTL)); err != nil {
			return fmt.Errorf("forget that connection %q is paused: %w", id, err)
		}
	}
	if err := r.kv.Purge(ctx, id, jetstream.PurgeTTL(markerTTL)); err != nil {
		return fmt.Errorf("forget connection %q: %w", id, err)
	}
	return nil
}

// Pause has a connection store frames and publish none, until Resume. It counts for static connections too.
func (r *Registry) Pause(ctx context.Context, id string) error {
	if _, err := r.Get(id); err != nil {
		return err
	}
	revision, err := r.kv.Put(ctx, id+pausedSuffix, nil)
	if err != nil {
		return fmt.Errorf("pause connection %q: %w", id, err)
	}
	r.note(id+pausedSuffix, nil, jetstream.KeyValuePut, revision)
	return nil
}

// Resume ends a pause.
func (r *Registry) Resume(ctx context.Context, id string) error {
	entry, err := r.Get(id)
	if err != nil || !entry.Paused {
		return err
	}
	r.mu.RLock()
	revision := r.records[id+pausedSuffix].revision
	r.mu.RUnlock()
	if err := r.kv.Purge(ctx, id+pausedSuffix, jetstream.PurgeTTL(markerTTL)); err != nil {
		return fmt.Errorf("resume connection %q: %w", id, err)
	}
	r.note(id+pausedSuffix, nil, jetstream.KeyValuePurge, revision+1)
	return nil
}

func (r *Registry) writable(id string) error {
	entry, err := r.Get(id)
	if err == nil && entry.Static {
		return fmt.Errorf("connection %q: %w", id, ErrStatic)
	}
	return err
}

// store writes a connection on condition that the revision is still the newest.
func (r *Registry) store(ctx context.Context, spec connection.Spec, revision uint64) (*Entry, error) {
	value, err := spec.MarshalStored()
	if err != nil {
		return nil, err
	}
	next, err := r.kv.Update(ctx, spec.ID, value, revision)
	if err != nil {
		return nil, conflict(err)
	}
	r.note(spec.ID, value, jetstream.KeyValuePut, next)
	return r.Get(spec.ID)
}

// conflict turns JetStream's answer to a write at an outdated revision into ErrConflict.
func conflict(err error) error {
	if natsconn.IsWrongLastSequence(err) {
		return ErrConflict
	}
	return err
}
