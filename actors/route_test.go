package actors

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

const (
	testFilter = "59ae890a63c0f30009e95709"
	testToken  = "a-token-for-tests"
)

// route is the whole way: a simulated Network Server, an embedded NATS server, the tree, and a broker behind a
// proxy that can tamper with PUBACKs.
type route struct {
	t      *testing.T
	ns     *simulator.NS
	nats   *testkit.NATS
	broker *testkit.Broker
	proxy  *testkit.PubackProxy
	deps   Deps
	tree   *Tree
}

func newRoute(t *testing.T) *route {
	t.Helper()
	ns, err := simulator.New(simulator.Config{
		Seed: 1, Tokens: []string{testToken}, Filters: map[string]simulator.Filter{testFilter: {}}, Record: 100_000,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := ns.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ns.Close)
	r := &route{t: t, ns: ns, nats: testkit.StartNATS(t), broker: testkit.StartBroker(t)}
	r.proxy = testkit.NewPubackProxy(t, r.broker.Address("mqtt"))
	r.deps = Deps{Node: "n1", Metrics: telemetry.NewMetrics("test", ""), Log: testLog(t)}
	r.start()
	t.Cleanup(r.stop)
	return r
}

// testLog shows warnings of a failing test when LORRY_TEST_LOG names a level.
func testLog(t *testing.T) zerolog.Logger {
	level, err := zerolog.ParseLevel(os.Getenv("LORRY_TEST_LOG"))
	if err != nil || level == zerolog.NoLevel {
		return zerolog.Nop()
	}
	return zerolog.New(zerolog.NewTestWriter(t)).Level(level)
}

func (r *route) start() {
	r.t.Helper()
	var err error
	config := buffer.Config{MaxFramesPerConnection: 1_000_000, Replicas: 1}
	if r.deps.Store, err = buffer.Open(r.t.Context(), r.nats.JetStream, config); err != nil {
		r.t.Fatal(err)
	}
	if r.deps.Cursors, err = buffer.OpenCursors(r.t.Context(), r.nats.JetStream, 1); err != nil {
		r.t.Fatal(err)
	}
	if r.tree, err = Start(r.deps); err != nil {
		r.t.Fatal(err)
	}
}

func (r *route) stop() {
	if r.tree == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
	defer cancel()
	if err := r.tree.Stop(ctx, 5*time.Second); err != nil {
		r.t.Errorf("stop the tree: %v", err)
	}
	r.tree = nil
}

// spec is a connection from the simulated Network Server to the proxy.
func (r *route) spec(id string, change func(*connection.Spec)) connection.Spec {
	r.t.Helper()
	spec := connection.Defaults()
	spec.ID, spec.Filter, spec.TopicUp, spec.TopicDown = id, testFilter, "lora/{type}/{device}", "downstream"
	spec.URI = connection.NewURI(r.proxy.URI())
	spec.MQTT.AckTimeout = connection.Duration(20 * time.Second) // the machine may be slow; what is late is another test's matter
	spec.Source.URL, spec.Source.AccessToken = r.ns.URL(), secret.New(testToken)
	if change != nil {
		change(&spec)
	}
	spec = spec.WithDefaults(connection.SourceDefaults{})
	if err := spec.Validate().Err(); err != nil {
		r.t.Fatal(err)
	}
	return spec
}

// put starts a connection and waits until the Network Server streams to it.
func (r *route) put(spec connection.Spec) {
	r.t.Helper()
	if err := r.tree.Put(spec); err != nil {
		r.t.Fatal(err)
	}
	r.awaitStreams(1)
}

func (r *route) awaitStreams(n int) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), testkit.Patience)
	defer cancel()
	if err := r.ns.Await(ctx, func(s simulator.Stats) bool { return s.Streams >= n }); err != nil {
		r.t.Fatalf("%d streams from the Network Server: %v", n, err)
	}
}

// emit has the Network Server send uplinks.
func (r *route) emit(n int) {
	r.t.Helper()
	for range n {
		if _, err := r.ns.Emit(simulator.Order{}); err != nil {
			r.t.Fatal(err)
		}
	}
}

// sent is every frame that the Network Server has generated.
func (r *route) sent() (out [][]byte) {
	for _, m := range r.ns.Messages() {
		out = append(out, m.Raw)
	}
	return out
}

// received is every frame that has reached the broker, by whatever connection.
func (r *route) received() (out [][]byte) {
	for _, p := range r.broker.Published() {
		if p.Topic != "downstream" {
			out = append(out, p.Payload)
		}
	}
	return out
}

// drop has the Network Server end its streams and waits until there are new ones.
func (r *route) drop(how simulator.Drop) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), testkit.Patience)
	defer cancel()
	connects := r.ns.Stats().Connects
	if r.ns.Drop(how) == 0 {
		r.t.Fatal("there was no stream to drop")
	}
	r.emit(200)
	if err := r.ns.Await(ctx, func(s simulator.Stats) bool { return s.Connects > connects && s.Streams > 0 }); err != nil {
		r.t.Fatalf("the stream did not come back: %v", err)
	}
}

// awaitAll waits until everything that was sent has reached the broker, and checks it.
func (r *route) awaitAll() testkit.Delivery {
	r.t.Helper()
	deadline := time.After(testkit.Patience)
	for {
		d := testkit.Verify(r.t, r.sent(), r.received())
		if d.Lost == 0 {
			if d.Disordered > 0 || d.Foreign > 0 {
				r.t.Fatalf("delivered %+v", d)
			}
			return d
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			status, _ := r.tree.Status()
			r.t.Fatalf("delivered %+v of %d; status %+v", d, len(r.sent()), status)
		}
	}
}

// status is that of one connection.
func (r *route) status(id string) messages.Status {
	r.t.Helper()
	all, err := r.tree.Status()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, s := range all {
		if s.ID == id {
			return s
		}
	}
	r.t.Fatalf("no connection %s in %+v", id, all)
	return messages.Status{}
}

// awaitStatus waits until a connection's status is as wanted.
func (r *route) awaitStatus(id string, want func(messages.Status) bool) messages.Status {
	r.t.Helper()
	deadline := time.After(testkit.Patience)
	for {
		s := r.status(id)
		if want(s) {
			return s
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			r.t.Fatalf("status %+v", s)
		}
	}
}

func connected(s messages.Status) bool { return s.State == telemetry.Connected }

func TestEveryFrameReachesTheBrokerInOrder(t *testing.T) {
	r := newRoute(t)
	r.put(r.spec("acme", nil))
	r.emit(2000)
	if d := r.awaitAll(); d.Repeated > 0 {
		t.Errorf("%d repeats without a fault", d.Repeated)
	}
	s := r.awaitStatus("acme", func(s messages.Status) bool { return s.Counters.Acknowledged == 2000 })
	if !connected(s) || s.Counters.Received != 2000 || s.Counters.Stored != 2000 {
		t.Errorf("status %+v", s)
	}
	if r.proxy.MaxInFlight() > 100 || r.proxy.Connects() != 1 {
		t.Errorf("at most %d in flight, %d CONNECTs", r.proxy.MaxInFlight(), r.proxy.Connects())
	}
}

func TestFramesOfAnAbsenceArriveInOrder(t *testing.T) {
	r := newRoute(t)
	r.put(r.spec("acme", nil))
	r.emit(100)
	r.awaitAll()
	r.broker.Stop()
	r.emit(5000)
	r.awaitStatus("acme", func(s messages.Status) bool { return s.Counters.Stored == 5100 })
	r.broker.Start()
	r.emit(1000)
	r.awaitAll()
}

func TestPubacksInReverseOrder(t *testing.T) {
	r := newRoute(t)
	r.proxy.Reverse(10)
	r.put(r.spec("acme", nil))
	r.emit(1000)
	if d := r.awaitAll(); d.Repeated > 0 {
		t.Errorf("%d repeats without a fault", d.Repeated)
	}
	r.awaitStatus("acme", func(s messages.Status) bool { return s.Counters.Acknowledged == 1000 })
}

func TestTheNetworkServersAbsenceLosesNothing(t *testing.T) {
	r := newRoute(t)
	r.put(r.spec("acme", nil))
	r.emit(500)
	r.awaitAll()
	for range 5 {
		r.drop(simulator.Reset)
		r.awaitAll() // what was missed comes from history, interleaved with what is live
		r.emit(100)
	}
	if d := r.awaitAll(); d.Repeated > 0 {
		t.Errorf("%d repeats: the history was not merged", d.Repeated)
	}
}

func TestAProcessThatEndsGoesOnWhereItStopped(t *testing.T) {
	r := newRoute(t)
	r.put(r.spec("acme", nil))
	r.emit(500)
	r.awaitStatus("acme", func(s messages.Status) bool { return s.Counters.Acknowledged == 500 })
	r.stop()
	r.emit(500)
	r.nats.Restart()
	r.start()
	r.put(r.spec("acme", nil))
	r.awaitAll()
	r.emit(500)
	if d := r.awaitAll(); d.Repeated > 0 {
		t.Errorf("%d repeats after a drain", d.Repeated)
	}
}
