package actors

import (
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

// newRouteOverNATS is a route whose NATS server is another process's.
func newRouteOverNATS(t *testing.T) (*route, *testkit.ExternalNATS) {
	t.Helper()
	var server *testkit.ExternalNATS
	r := newRoute(t, func(p *routeParts) {
		server = testkit.StartExternalNATS(t)
		p.nats = server.Connect()
	})
	return r, server
}

func TestANATSServerThatRestartsLosesNothing(t *testing.T) {
	r, server := newRouteOverNATS(t)
	r.put(r.spec("acme", nil))
	for range 2 {
		r.emit(200)
		r.awaitAll()
		server.Stop()
		r.emit(200)
		s := r.awaitStatus("acme", func(s messages.Status) bool { return s.Source.LastError != "" })
		if !strings.Contains(s.Source.LastError, "store ") && !strings.Contains(s.Source.LastError, "save the cursor of connection acme") {
			t.Errorf("status %+v", s)
		}
		if n := len(r.log.with("the buffer fails")); n == 0 {
			t.Error("the failure was not logged")
		}
		server.Start()
		r.emit(100)
		d := r.awaitAll()
		if drops := r.reconnects("acme"); d.Repeated > 100*drops {
			t.Errorf("%d repeats after %d drops", d.Repeated, drops)
		}
		r.awaitStatus("acme", healthy)
	}
	if n := r.ns.Stats().Connects; n > 3 {
		t.Errorf("%d sessions with the Network Server", n)
	}
}

// While the stream cannot be read either, a connection that is behind waits, and says why.
func TestANATSServerThatIsAwayWhileAConnectionIsBehind(t *testing.T) {
	r, server := newRouteOverNATS(t)
	r.put(r.spec("acme", nil))
	r.emit(100)
	r.awaitAll()
	r.broker.Stop()
	r.emit(3000)
	r.awaitStatus("acme", func(s messages.Status) bool { return s.Counters.Stored == 3100 })
	server.Stop()
	r.broker.Start()
	r.awaitStatus("acme", func(s messages.Status) bool {
		return s.Broker.LastError == "" && strings.Contains(s.Source.LastError, "read subject up.acme")
	})
	server.Start()
	r.awaitAll()
	r.emit(100)
	r.awaitAll()
	r.awaitStatus("acme", healthy)
}

// A connection that begins while NATS is away begins when it is back.
func TestANATSServerThatIsAwayWhenAConnectionBegins(t *testing.T) {
	r, server := newRouteOverNATS(t)
	server.Stop()
	if err := r.tree.Put(r.spec("acme", nil)); err != nil {
		t.Fatal(err)
	}
	r.awaitStatus("acme", func(s messages.Status) bool {
		return s.State == "backoff" && strings.Contains(s.Source.LastError, "load the cursor of connection acme")
	})
	server.Start()
	r.put(r.spec("acme", nil))
	r.emit(100)
	r.awaitAll()
	r.awaitStatus("acme", healthy)
}
