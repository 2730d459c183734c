package actors

import (
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

// A session that ends in mid-flow, in whatever way, costs nothing but repeats.
func TestBrokenWires(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault func(r *route) (mend func())
	}{
		{"cut", func(r *route) func() { r.proxy.Cut(); return nil }},
		{"half-closed by the client", func(r *route) func() { r.proxy.HalfClose(testkit.ToBroker); return nil }},
		{"half-closed by the broker", func(r *route) func() { r.proxy.HalfClose(testkit.ToClient); return nil }},
		{"stalled to the broker", func(r *route) func() {
			r.proxy.Stall(testkit.ToBroker)
			return func() { r.proxy.Resume(testkit.ToBroker) }
		}},
		{"stalled to the client", func(r *route) func() {
			r.proxy.Stall(testkit.ToClient)
			return func() { r.proxy.Resume(testkit.ToClient) }
		}},
		{"broker restarted", func(r *route) func() { r.broker.Stop(); return r.broker.Start }},
		{"cut off by the broker", func(r *route) func() { r.broker.CutOff("lorry-acme"); return nil }},
		{"taken over by another client", func(r *route) func() { r.takeOver("lorry-acme"); return nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoute(t, nil)
			r.put(r.spec("acme", func(s *connection.Spec) {
				late(s)
				s.MQTT.ConnectTimeout = connection.Duration(500 * time.Millisecond)
			}))
			for round := range 3 {
				published, dropped := len(r.broker.Published()), r.reconnects("acme")
				r.emit(300)
				r.broker.AwaitPublished(published + 100)
				mend := c.fault(r)
				r.emit(300)
				r.awaitStatus("acme", func(messages.Status) bool { return r.reconnects("acme") > dropped })
				if mend != nil {
					mend()
				}
				r.settled(100)
				if t.Failed() {
					t.Fatalf("in round %d", round)
				}
			}
			if n := r.ns.Stats().Connects; n != 1 {
				t.Errorf("%d sessions with the Network Server", n)
			}
		})
	}
}

// takeOver has another client use a client ID, and leave again.
func (r *route) takeOver(clientID string) {
	r.t.Helper()
	uri, err := broker.ParseURI(r.broker.URI("mqtt"))
	if err != nil {
		r.t.Fatal(err)
	}
	other, err := broker.Connect(r.t.Context(), broker.Options{URI: uri, ClientID: clientID}, broker.Events{})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(other.Close)
}

// A broker that takes frames more slowly than they come is caught up with from the stream, in order.
func TestASlowBrokerIsCaughtUpWith(t *testing.T) {
	r := newRoute(t, nil)
	r.proxy.Withhold()
	r.put(r.spec("acme", nil))
	const frames = 4 * 1024 // far beyond what is kept in memory
	r.emit(frames)
	r.awaitStatus("acme", func(s messages.Status) bool { return s.Counters.Stored == frames })
	if n := len(r.broker.Published()); n > 100 {
		t.Errorf("%d frames were published without a PUBACK", n)
	}
	r.proxy.Pass()
	r.proxy.Release(100)
	for range 10 { // new ones come while it catches up
		r.emit(100)
		r.proxy.Release(100)
	}
	if d := r.settled(100); d.Repeated > 0 {
		t.Errorf("%d repeats without a drop", d.Repeated)
	}
	if r.proxy.Connects() != 1 || r.ns.Stats().Connects != 1 {
		t.Errorf("%d CONNECTs, %d sessions with the Network Server", r.proxy.Connects(), r.ns.Stats().Connects)
	}
}

func TestFramesOfAnAbsenceArriveInOrder(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", nil))
	r.emit(100)
	r.awaitAll()
	r.broker.Stop()
	r.emit(3000)
	r.awaitStatus("acme", func(s messages.Status) bool { return s.Counters.Stored == 3100 })
	r.broker.Start()
	r.emit(500)
	r.settled(100)
}
