package registry

import (
	"maps"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/lorry-mqtt/lorry/internal/connection"
)

// Entry is one connection. It is not changed once it was handed out.
type Entry struct {
	// Spec is the connection as its owner wrote it, secrets included; [connection.Spec.WithDefaults] completes it.
	Spec     connection.Spec
	Revision uint64 // of the stored connection; 0 for a static one
	Static   bool   // it is in the node's configuration file, and read-only
	Paused   bool
	// Fault is why what is stored under the ID is no connection; Spec then has nothing but the ID.
	Fault error
}

// record is what is known of one key of the bucket.
type record struct {
	revision   uint64
	generation uint64 // the watch that has last seen it
	operation  jetstream.KeyValueOp
	spec       connection.Spec // of an ID
	fault      error           // of an ID
}

func (r *record) present() bool { return r != nil && r.operation == jetstream.KeyValuePut }

// note takes over what a key holds at a revision, unless something later is known, and returns the ID. It decodes before it locks: certificates are large.
func (r *Registry) note(key string, value []byte, operation jetstream.KeyValueOp, revision uint64) (id string) {
	id, pause := splitKey(key)
	fresh := &record{revision: revision, operation: operation}
	if operation == jetstream.KeyValuePut && !pause {
		fresh.spec, fresh.fault = decode(id, value)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh.generation = r.generation
	if known := r.records[key]; known != nil && known.revision >= revision {
		known.generation = r.generation
		return id
	}
	r.records[key] = fresh
	r.refresh(id)
	_, static := r.static[id]
	switch {
	case fresh.fault != nil:
		r.log.Error().Str("connection", id).Err(fresh.fault).Msg("a stored connection cannot be read: replace or delete it")
	case static && !pause && fresh.present():
		r.log.Warn().Str("connection", id).Msg("a stored connection has the id of one in the configuration file, which counts")
	}
	return id
}

// refresh makes the entry of an ID anew. The caller holds the lock.
func (r *Registry) refresh(id string) {
	r.sorted = nil
	paused := r.records[id+pausedSuffix].present()
	stored := r.records[id]
	spec, static := r.static[id]
	switch {
	case static:
		r.entries[id] = &Entry{Spec: spec, Static: true, Paused: paused}
	case !stored.present():
		delete(r.entries, id)
	case stored.fault != nil:
		unread := connection.Defaults()
		unread.ID = id
		r.entries[id] = &Entry{Spec: unread, Revision: stored.revision, Paused: paused, Fault: stored.fault}
	default:
		r.entries[id] = &Entry{Spec: stored.spec, Revision: stored.revision, Paused: paused}
	}
}

// begin opens a generation: what the watch has not seen when it is in step is gone.
func (r *Registry) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.generation++
}

// sweep forgets the keys that the watch has not seen, and returns their IDs.
func (r *Registry) sweep() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var gone []string
	for key, known := range r.records {
		if known.generation == r.generation {
			continue
		}
		id, _ := splitKey(key)
		delete(r.records, key)
		r.refresh(id)
		gone = append(gone, id)
	}
	return gone
}

// Get returns a connection; ErrNotFound when there is none of that ID.
func (r *Registry) Get(id string) (*Entry, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if e := r.entries[id]; e != nil {
		return e, nil
	}
	return nil, notFound(id)
}

// List returns all connections by ID. The slice is shared: it must not be written to.
func (r *Registry) List() []*Entry {
	r.mu.RLock()
	sorted := r.sorted
	r.mu.RUnlock()
	if sorted != nil {
		return sorted
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sorted = make([]*Entry, 0, len(r.entries))
	for _, id := range slices.Sorted(maps.Keys(r.entries)) {
		r.sorted = append(r.sorted, r.entries[id])
	}
	return r.sorted
}

// Leaving reports whether a connection was deleted and [Registry.Forget] is awaited.
func (r *Registry) Leaving(id string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	stored := r.records[id]
	return stored != nil && stored.operation == jetstream.KeyValueDelete
}
