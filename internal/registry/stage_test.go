package registry

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

func spec(id string) connection.Spec {
	s := connection.Defaults()
	s.ID, s.URI, s.Filter, s.TopicUp = id, connection.NewURI("mqtts://user:hunter2@broker.example"), "f", "lora/{type}"
	return s
}

func open(t *testing.T, js jetstream.JetStream, static ...connection.Spec) *Registry {
	t.Helper()
	r, err := Open(t.Context(), js, 1, static, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// watched is a registry's watch as a test sees it.
type watched struct {
	*Registry
	t *testing.T

	mu      sync.Mutex
	changed chan struct{} // closed at the next call
}

func watch(t *testing.T, r *Registry) *watched {
	t.Helper()
	w := &watched{Registry: r, t: t, changed: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Watch(ctx, func(string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			close(w.changed)
			w.changed = make(chan struct{})
		})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	select {
	case <-r.Synced():
	case <-time.After(testkit.Patience):
		t.Fatal("the watch does not get in step")
	}
	return w
}

// await waits until the condition holds, which it asks after each change.
func (w *watched) await(what string, condition func() bool) {
	w.t.Helper()
	timeout := time.After(testkit.Patience)
	for {
		w.mu.Lock()
		changed := w.changed
		w.mu.Unlock()
		if condition() {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func must(t *testing.T, e *Entry, err error) *Entry {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return e
}
