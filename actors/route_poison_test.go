package actors

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

// A broker with a limit ends the session of whoever passes it.
func TestAFrameBeyondTheBrokersLimitIsParked(t *testing.T) {
	const limit = 4096
	r := newRoute(t, func(p *routeParts) {
		p.broker = append(p.broker, testkit.WithMaximumPacketSize(limit))
	})
	r.put(r.spec("acme", nil))
	r.awaitStatus("acme", healthy)
	r.emit(20)
	large := fmt.Sprintf(`{"type":"uplink","meta":{"device":"70b3d50000000001","time":1.5},"params":{"payload":%q}}`,
		strings.Repeat("A", 2*limit))
	if n := r.ns.Inject([]byte(large)); n != 1 {
		t.Fatalf("injected into %d streams", n)
	}
	r.emit(30)
	r.awaitStatus("acme", func(s messages.Status) bool {
		return s.Counters.Parked == 1 && s.Counters.Acknowledged == 50 && s.Lag.Frames == 0
	})
	parked, err := r.deps.Parked.List(t.Context(), "acme", 0, 10)
	if err != nil || len(parked) != 1 || string(parked[0].Raw) != large || parked[0].Topic != "lora/uplink/70b3d50000000001" {
		t.Fatalf("parked %+v, %v", parked, err)
	}

	// Another broker, or another limit: the operator sends it again.
	if err := r.deps.Parked.Drop(t.Context(), "acme", parked[0].Seq+1); err == nil {
		t.Error("what is not parked was dropped")
	}
	if err := r.tree.Remove("acme"); err != nil {
		t.Fatal(err)
	}
	generous := testkit.StartBroker(t)
	r.broker, r.proxy = generous, testkit.NewPubackProxy(t, generous.Address("mqtt"))
	r.put(r.spec("acme", nil))
	r.awaitStatus("acme", healthy)
	if err := r.tree.Resend("acme", parked[0].Seq); err != nil {
		t.Fatal(err)
	}
	if all := generous.AwaitPublished(1); string(all[0].Payload) != large {
		t.Errorf("published %s", all[0].Payload)
	}
	if parked, err := r.deps.Parked.List(t.Context(), "acme", 0, 10); err != nil || len(parked) > 0 {
		t.Errorf("still parked: %+v, %v", parked, err)
	}
}
