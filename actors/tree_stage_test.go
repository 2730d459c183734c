package actors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/source"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

// treeStage is a whole tree over a real JetStream, each of its connections between a Network Server and a
// broker of the test's, on a clock that the bubble of testing/synctest controls.
type treeStage struct {
	t      *testing.T
	store  *faultyJetStream
	bounds buffer.Config
	deps   Deps
	tree   *Tree
	log    *logbook

	mu   sync.Mutex
	ends map[string]*ends
}

// errGone is why a session of the test's ends.
var errGone = errors.New("gone")

// ends are both ends of one connection.
type ends struct {
	ns     *fakeNS
	broker *fakeBroker
}

func newTreeStage(t *testing.T, change func(*Deps)) *treeStage {
	t.Helper()
	st := &treeStage{t: t, bounds: buffer.Config{MaxFramesPerConnection: 100_000, Replicas: 1}, log: &logbook{}, ends: map[string]*ends{}}
	st.store = &faultyJetStream{JetStream: testkit.StartNATS(t).JetStream}
	st.deps = Deps{
		Node: "n1", Metrics: telemetry.NewMetrics("test", ""), Log: zerolog.New(st.log),
		ConnectBroker: func(ctx context.Context, o broker.Options, events broker.Events) (BrokerSession, error) {
			return st.at(strings.TrimPrefix(o.ClientID, "lorry-")).broker.connect(ctx, o, events)
		},
		DialSource: func(ctx context.Context, o source.WebSocketOptions) (source.Session, error) {
			return st.at(o.Filter).ns.dial(ctx, o)
		},
		ReadHistory: func(ctx context.Context, o source.HistoryOptions, from, to time.Time, each func([]source.Frame) error) error {
			return st.at(o.Filter).ns.readHistory(ctx, from, to, each)
		},
	}
	if change != nil {
		change(&st.deps)
	}
	st.start()
	t.Cleanup(func() { st.stop(10 * time.Second) })
	return st
}

func (st *treeStage) start() {
	st.t.Helper()
	var err error
	if st.deps.Store, err = buffer.Open(st.t.Context(), st.store, st.bounds); err != nil {
		st.t.Fatal(err)
	}
	if st.deps.Cursors, err = buffer.OpenCursors(st.t.Context(), st.store, 1); err != nil {
		st.t.Fatal(err)
	}
	if st.deps.Parked, err = buffer.OpenParked(st.t.Context(), st.store, 1); err != nil {
		st.t.Fatal(err)
	}
	if st.tree, err = Start(st.deps); err != nil {
		st.t.Fatal(err)
	}
}

// stop drains the tree, once.
func (st *treeStage) stop(grace time.Duration) {
	st.t.Helper()
	if st.tree == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace+time.Minute)
	defer cancel()
	if err := st.tree.Stop(ctx, grace); err != nil {
		st.t.Errorf("stop the tree: %v", err)
	}
	st.tree = nil
	advance(time.Second) // the actor system's own goroutines
}

// at are the ends of a connection, made when it is first asked for: its broker acknowledges.
func (st *treeStage) at(id string) *ends {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ends[id] == nil {
		st.ends[id] = &ends{ns: newFakeNS(), broker: newFakeBroker()}
		st.ends[id].broker.acking = true
	}
	return st.ends[id]
}

// put starts a connection and waits until everything rests.
func (st *treeStage) put(id string, change func(*connection.Spec)) *ends {
	st.t.Helper()
	if err := st.tree.Put(st.spec(id, change)); err != nil {
		st.t.Fatal(err)
	}
	synctest.Wait()
	return st.at(id)
}

// spec is a connection between ends of the test's.
func (st *treeStage) spec(id string, change func(*connection.Spec)) connection.Spec {
	spec := connection.Defaults()
	spec.ID, spec.Filter, spec.TopicUp, spec.TopicDown = id, id, "lora/{type}/{device}", "downstream"
	spec.URI = connection.NewURI("mqtt://127.0.0.1")
	spec.Source.URL, spec.Source.AccessToken = "ws://127.0.0.1/api/v1.0/data", secret.New("token")
	if change != nil {
		change(&spec)
	}
	return spec.WithDefaults(connection.SourceDefaults{})
}

func (st *treeStage) status(id string) messages.Status {
	st.t.Helper()
	all, err := st.tree.Status()
	if err != nil {
		st.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(s messages.Status) bool { return s.ID == id })
	if i < 0 {
		st.t.Fatalf("no connection %s in %+v", id, all)
	}
	return all[i]
}

// complete checks that a connection has delivered everything, with at most so many repeats.
func (st *treeStage) complete(id string, repeats int) {
	st.t.Helper()
	synctest.Wait()
	e := st.at(id)
	d := testkit.Verify(st.t, e.ns.sent(), e.broker.payloads())
	if d.Lost > 0 || d.Disordered > 0 || d.Foreign > 0 || d.Repeated > repeats {
		st.t.Errorf("connection %s delivered %+v of %d, at most %d repeats allowed", id, d, len(e.ns.sent()), repeats)
	}
}

// faulty stands in a child's place and panics at some of its messages.
type faulty struct {
	actor.Actor
	panics func(ctx actor.Context) bool
}

// Receive implements actor.Actor.
func (f *faulty) Receive(ctx actor.Context) {
	if f.panics(ctx) {
		panic("out of order")
	}
	f.Actor.Receive(ctx)
}

// logbook keeps what is logged, entry by entry.
type logbook struct {
	mu      sync.Mutex
	entries []map[string]any
}

// Write implements io.Writer.
func (l *logbook) Write(p []byte) (int, error) {
	var entry map[string]any
	if err := json.NewDecoder(bytes.NewReader(p)).Decode(&entry); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, entry)
	return len(p), nil
}

// with are the entries of a message.
func (l *logbook) with(message string) (found []map[string]any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if e[zerolog.MessageFieldName] == message {
			found = append(found, e)
		}
	}
	return found
}
