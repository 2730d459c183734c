package actors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

func TestDownlinksReachTheNetworkServerByteForByte(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", nil))
	r.broker.AwaitSubscription("downstream")
	device := r.ns.Devices()[0]
	want := []string{
		fmt.Sprintf(`{"type":"downlink_claim","meta":{"device":%q}}`, device),
		fmt.Sprintf("\r\n { \"meta\" : {\t\"device\" :%q } ,\n\"type\": \"downlink_claim\" } \t", device),
		`{"type":"downlink_response","params":{"payload":"220de733f4"}}`,
		fmt.Sprintf(`{"type":"status","meta":{"device":%q}}`, device),
		fmt.Sprintf(`{"type":"status_request","meta":{"device":%q},"params":{}}`, device),
		`{"type":"teapot","params":{"ü":"\u00fc","n":1.50000000000000000000}}`,
		`{"type":"downlink_response","params":{"payload":"` + strings.Repeat("A", 200_000) + `"}}`,
		`[1,2, 3]`,
	}
	for i, m := range want {
		r.broker.Send("downstream", []byte("not JSON"), 1)
		r.broker.Send("downstream", []byte(`{"type":"uplink"}`), 1)
		r.broker.Send("downstream", []byte(m), byte(i%2))
	}
	r.awaitNS("all downlinks", func(s simulator.Stats) bool { return s.Received >= uint64(len(want)) })
	received := r.ns.Received()
	if len(received) != len(want) {
		t.Fatalf("the Network Server received %d messages, want %d", len(received), len(want))
	}
	for i, d := range received {
		if string(d.Raw) != want[i] {
			t.Errorf("downlink %d: %.100q, want %.100q", i, d.Raw, want[i])
		}
	}
	c := r.awaitStatus("acme", func(s messages.Status) bool { return s.Counters.DownlinksForwarded == uint64(len(want)) }).Counters
	if c.DownlinksReceived != uint64(3*len(want)) || c.DownlinksDiscarded != uint64(2*len(want)) {
		t.Errorf("counters %+v", c)
	}
	r.settled(100) // the Network Server's answers and echoes are frames as any other
}

// respond plays the customer's application: it answers a downlink_request.
func (r *route) respond(request []byte) {
	r.t.Helper()
	var envelope struct{ Meta json.RawMessage }
	if err := json.Unmarshal(request, &envelope); err != nil {
		r.t.Fatal(err)
	}
	r.broker.Send("downstream", fmt.Appendf(nil, `{"type":"downlink_response","meta":%s,"params":{"port":2,"payload":"SGVsbG8="}}`, envelope.Meta), 1)
}

func TestADownlinkRequestIsAnsweredInTime(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", nil))
	r.broker.AwaitSubscription("downstream")
	const requests = 10
	for i := range requests {
		device := r.ns.Devices()[i]
		r.order(simulator.Order{Device: device})
		request := r.order(simulator.Order{Type: dataapi.DownlinkRequest, Device: device})
		r.awaitAll()
		for _, p := range r.broker.Published() {
			if p.Topic == "lora/downlink_request/"+device && bytes.Equal(p.Payload, request.Raw) {
				r.respond(p.Payload)
			}
		}
	}
	r.awaitNS("accepted responses", func(s simulator.Stats) bool { return s.Received == requests })
	for _, d := range r.ns.Received() {
		if d.Outcome != simulator.Accepted || d.Margin <= 0 {
			t.Errorf("the response for %s was %s with a margin of %v: %s", d.Device, d.Outcome, d.Margin, d.Reason)
		}
	}
}

func TestASubscriptionThatTheBrokerRefuses(t *testing.T) {
	var allowed atomic.Bool
	r := newRoute(t, func(p *routeParts) {
		p.broker = []testkit.BrokerOption{testkit.WithACL(func(_, _ string, write bool) bool { return write || allowed.Load() })}
	})
	r.put(r.spec("acme", nil))
	for range 3 {
		r.emit(100)
		r.awaitAll()
		s := r.awaitStatus("acme", func(s messages.Status) bool { return s.Broker.LastError != "" && s.InFlight == 0 })
		if s.State != telemetry.Connected || !strings.Contains(s.Broker.LastError, "SUBACK 0x80") {
			t.Errorf("status %+v", s)
		}
	}
	allowed.Store(true)
	r.broker.AwaitSubscription("downstream")
	r.broker.Send("downstream", []byte(claim(1)), 1)
	r.awaitNS("a downlink", func(s simulator.Stats) bool { return s.Received == 1 })
	r.awaitStatus("acme", healthy)
	if n := r.proxy.Connects(); n != 1 {
		t.Errorf("%d CONNECTs", n)
	}
}

// What the application publishes on topic_down while the broker restarts is its matter; what comes after the
// broker is back arrives.
func TestDownlinksAfterABrokersRestart(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", func(s *connection.Spec) { s.TopicDown = "to/+/acme/#" }))
	for i := range 3 {
		r.broker.AwaitSubscription("to/+/acme/#")
		r.broker.Send(fmt.Sprintf("to/%d/acme/x/y", i), []byte(claim(i)), 1)
		r.awaitNS("a downlink", func(s simulator.Stats) bool { return s.Received == uint64(i)+1 })
		r.broker.Stop()
		r.broker.Start()
	}
}
