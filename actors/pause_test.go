package actors

import (
	"slices"
	"sync"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/eventlog"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/messages"
)

// recorder keeps what it is told.
type recorder struct {
	mu     sync.Mutex
	events []eventlog.Event
}

func (r *recorder) Add(_ string, e eventlog.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) has(match func(eventlog.Event) bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.events, match)
}

// A paused connection stores frames and publishes none; when it is resumed, all of them arrive, each once.
func TestAPausedConnectionStoresAndPublishesNothing(t *testing.T) {
	r := newRoute(t, nil)
	events := &recorder{}
	r.stop()
	r.deps.Events = events
	r.start()
	spec := r.spec("acme", nil)
	r.put(spec)
	r.emit(20)
	r.awaitAll()

	if err := r.tree.PutPaused(spec); err != nil {
		t.Fatal(err)
	}
	r.awaitStatus("acme", func(s messages.Status) bool {
		return s.State == telemetry.Paused && (s.Source.State == messages.SourceStreaming || s.Source.State == messages.SourceReplaying)
	})
	r.broker.AwaitDisconnects(1)
	r.emit(30)
	s := r.awaitStatus("acme", func(s messages.Status) bool { return s.Counters.Stored == 50 && s.Lag.Frames == 30 })
	if n := len(r.broker.Published()); n != 20 || s.Counters.Published != 20 || s.Broker.State != telemetry.Paused {
		t.Errorf("%d published while paused: %+v", n, s)
	}
	if got := r.tree.StatusOf("acme"); got.State != telemetry.Paused || got.ID != "acme" {
		t.Errorf("status of it alone: %+v", got)
	}

	if err := r.tree.Put(spec); err != nil {
		t.Fatal(err)
	}
	if d := r.awaitAll(); d.Repeated > 0 {
		t.Errorf("%d repeats", d.Repeated)
	}
	for _, state := range []telemetry.State{telemetry.Connected, telemetry.Paused, telemetry.Stopped} {
		if !events.has(func(e eventlog.Event) bool { return e.Kind == eventlog.StateChanged && e.State == string(state) }) {
			t.Errorf("no event tells of state %s: %+v", state, events.events)
		}
	}
}

// What changes nothing of a connection's work restarts nothing; a restart on request does.
func TestADescriptionRestartsNothing(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", nil))
	r.awaitStatus("acme", healthy)
	r.put(r.spec("acme", func(s *connection.Spec) { s.Description, s.Tags = "other", map[string]string{"customer": "acme"} }))
	r.emit(5)
	r.awaitAll()
	if n := r.proxy.Connects(); n != 1 {
		t.Errorf("%d CONNECTs after a new description", n)
	}
	if err := r.tree.Restart("acme"); err != nil {
		t.Fatal(err)
	}
	r.broker.AwaitDisconnects(1)
	r.awaitStatus("acme", healthy)
	if n := r.proxy.Connects(); n != 2 {
		t.Errorf("%d CONNECTs after a restart", n)
	}
	if s := r.tree.StatusOf("other"); s.ID != "" {
		t.Errorf("the status of none is %+v", s)
	}
}

// What is discarded is told once a second, with how many it were.
func TestDiscardsAreTold(t *testing.T) {
	r := newRoute(t, nil)
	events := &recorder{}
	r.stop()
	r.deps.Events = events
	r.start()
	r.put(r.spec("acme", nil))
	r.awaitStatus("acme", healthy)
	r.broker.AwaitSubscription("downstream")
	for range 3 {
		r.broker.Send("downstream", []byte("no JSON"), 1)
	}
	r.awaitStatus("acme", func(s messages.Status) bool { return s.Counters.DownlinksDiscarded == 3 })
	told := uint64(0)
	r.awaitStatus("acme", func(messages.Status) bool {
		told = 0
		events.has(func(e eventlog.Event) bool {
			if e.Kind == eventlog.DownlinksDropped && e.Reason != "" {
				told += e.Count
			}
			return false
		})
		return told == 3
	})
}
