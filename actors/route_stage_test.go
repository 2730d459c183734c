package actors

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/natsconn"
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

// route is the whole way over real sockets: a simulated Network Server, a NATS server, the tree, and a broker
// behind a proxy that can tamper with PUBACKs.
type route struct {
	t      *testing.T
	ns     *simulator.NS
	nats   *natsconn.Conn
	broker *testkit.Broker
	proxy  *testkit.PubackProxy
	deps   Deps
	tree   *Tree
	log    *logbook
}

// routeParts is what of a route a test may want otherwise.
type routeParts struct {
	ns     simulator.Config
	broker []testkit.BrokerOption
	nats   *natsconn.Conn
}

// newRoute starts a route besides other tests.
func newRoute(t *testing.T, change func(*routeParts)) *route {
	t.Helper()
	t.Parallel()
	return newRouteAlone(t, change)
}

// newRouteAlone starts a route while no other test runs.
func newRouteAlone(t *testing.T, change func(*routeParts)) *route {
	t.Helper()
	parts := routeParts{ns: simulator.Config{
		Seed: 1, Tokens: []string{testToken}, Filters: map[string]simulator.Filter{testFilter: {}}, Record: 100_000,
	}}
	if change != nil {
		change(&parts)
	}
	ns, err := simulator.New(parts.ns)
	if err != nil {
		t.Fatal(err)
	}
	if err := ns.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ns.Close)
	if parts.nats == nil {
		parts.nats = testkit.StartNATS(t).Conn
	}
	r := &route{t: t, ns: ns, nats: parts.nats, broker: testkit.StartBroker(t, parts.broker...), log: &logbook{}}
	r.proxy = testkit.NewPubackProxy(t, r.broker.Address("mqtt"))
	r.deps = Deps{Node: "n1", Metrics: telemetry.NewMetrics("test", ""), Log: testLog(t, r.log)}
	r.start()
	t.Cleanup(r.stop)
	return r
}

// testLog also shows the log of a failing test when LORRY_TEST_LOG names a level.
func testLog(t *testing.T, book *logbook) zerolog.Logger {
	t.Helper()
	level, err := zerolog.ParseLevel(os.Getenv("LORRY_TEST_LOG"))
	if err != nil || level == zerolog.NoLevel {
		return zerolog.New(book).Level(zerolog.InfoLevel)
	}
	return zerolog.New(zerolog.MultiLevelWriter(book, zerolog.NewTestWriter(t))).Level(level)
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
	if r.deps.Parked, err = buffer.OpenParked(r.t.Context(), r.nats.JetStream, 1); err != nil {
		r.t.Fatal(err)
	}
	if r.tree, err = Start(r.deps); err != nil {
		r.t.Fatal(err)
	}
}

// stop drains the tree, once. Of a test that has failed it shows how the connections are.
func (r *route) stop() {
	if r.tree == nil {
		return
	}
	if r.t.Failed() {
		status, err := r.tree.Status()
		r.t.Logf("at the end: %+v, %v", status, err)
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

// put starts a connection and waits until it streams from the Network Server.
func (r *route) put(spec connection.Spec) {
	r.t.Helper()
	if err := r.tree.Put(spec); err != nil {
		r.t.Fatal(err)
	}
	r.awaitNS("a stream", func(s simulator.Stats) bool { return s.Streams >= 1 })
}

func (r *route) awaitNS(what string, condition func(simulator.Stats) bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), testkit.Patience)
	defer cancel()
	if err := r.ns.Await(ctx, condition); err != nil {
		r.t.Fatalf("the Network Server waited in vain for %s: %v, %+v", what, err, r.ns.Stats())
	}
}

// emit has the Network Server send uplinks.
func (r *route) emit(n int) {
	r.t.Helper()
	for range n {
		r.order(simulator.Order{})
	}
}

// absence has the Network Server send so many uplinks while nobody is connected to it, after leave has seen to that,
// and waits for the next stream.
func (r *route) absence(frames int, leave func()) {
	r.t.Helper()
	refuse := func(how simulator.Refusal) {
		if err := r.ns.Refuse(how, 0); err != nil {
			r.t.Fatal(err)
		}
	}
	connects := r.ns.Stats().Connects
	refuse(simulator.Unavailable)
	leave()
	r.emit(frames)
	refuse(simulator.Accept)
	r.awaitNS("another stream", func(s simulator.Stats) bool { return s.Connects > connects && s.Streams > 0 })
}

// order has the Network Server send one message.
func (r *route) order(o simulator.Order) simulator.Message {
	r.t.Helper()
	m, err := r.ns.Emit(o)
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

// sent is every frame that the Network Server has generated.
func (r *route) sent() (out [][]byte) {
	for _, m := range r.ns.Messages() {
		out = append(out, m.Raw)
	}
	return out
}

// publishedUnder are the payloads that have reached a broker on topics that begin so.
func publishedUnder(b *testkit.Broker, prefix string) (out [][]byte) {
	for _, p := range b.Published() {
		if strings.HasPrefix(p.Topic, prefix) {
			out = append(out, p.Payload)
		}
	}
	return out
}

// awaitAll waits until everything that was sent has reached the broker, and checks it.
func (r *route) awaitAll() testkit.Delivery {
	r.t.Helper()
	return r.awaitUnder("lora/")
}

// awaitUnder is awaitAll for topics that begin so.
func (r *route) awaitUnder(prefix string) testkit.Delivery {
	r.t.Helper()
	for {
		all := len(r.broker.Published())
		d := testkit.Verify(r.t, r.sent(), publishedUnder(r.broker, prefix))
		if d.Disordered > 0 || d.Foreign > 0 {
			r.t.Fatalf("delivered %+v of %d", d, len(r.sent()))
		}
		if d.Lost == 0 {
			return d
		}
		r.broker.AwaitPublished(all + d.Lost) // at least
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

// healthy is a connection that has delivered everything and has nothing to complain about.
func healthy(s messages.Status) bool {
	return s.State == telemetry.Connected && s.Broker.LastError+s.Source.LastError == "" && s.InFlight == 0
}

// reconnects is how many MQTT sessions and attempts of a connection have ended.
func (r *route) reconnects(id string) int {
	return int(r.deps.Metrics.Connection(id).BrokerReconnects.Total())
}
