package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/connection"
)

// Bucket is the key-value bucket that holds the connections.
const Bucket = "lorry_connections"

// markerTTL is how long the bucket shows that a connection was deleted and is forgotten: longer than any watch is
// behind.
const markerTTL = time.Hour

// What callers branch on.
var (
	ErrNotFound = errors.New("there is no such connection")
	ErrExists   = errors.New("there is a connection of that id already")
	ErrConflict = errors.New("the connection was changed by somebody else")
	ErrStatic   = errors.New("the connection is in the node's configuration file: change it there")
	ErrLeaving  = errors.New("a connection of that id is being deleted: try again in a few seconds")
)

func notFound(id string) error { return fmt.Errorf("connection %q: %w", id, ErrNotFound) }

// Registry is the connections of a node, or of all nodes on one NATS system. Its methods may be called by any
// goroutine. What it knows of others' writes it knows by [Registry.Watch].
type Registry struct {
	kv  jetstream.KeyValue
	js  jetstream.JetStream
	log zerolog.Logger

	static map[string]connection.Spec

	mu         sync.RWMutex
	generation uint64
	records    map[string]*record // by key
	entries    map[string]*Entry  // by ID
	sorted     []*Entry           // nil when it is to be made anew

	synced   chan struct{} // closed when the watch is in step for the first time
	syncOnce sync.Once
}

// Open makes the bucket or opens the one that is there. The static connections are those of the configuration file;
// one of them hides a stored one of the same ID.
func Open(ctx context.Context, js jetstream.JetStream, replicas int, static []connection.Spec, log zerolog.Logger) (*Registry, error) {
	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket:         Bucket,
		Description:    "connections, with their secrets",
		Storage:        jetstream.FileStorage,
		Replicas:       replicas,
		LimitMarkerTTL: markerTTL,
	})
	if err != nil {
		return nil, fmt.Errorf("open key-value bucket %s: %w", Bucket, err)
	}
	r := &Registry{
		kv: kv, js: js, log: log, static: map[string]connection.Spec{},
		records: map[string]*record{}, entries: map[string]*Entry{}, synced: make(chan struct{}),
	}
	for _, spec := range static {
		r.static[spec.ID] = spec
		r.refresh(spec.ID)
	}
	return r, nil
}
