package actors

import (
	"fmt"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

// late has PUBACKs count as late soon, since lateness is the subject.
func late(s *connection.Spec) { s.MQTT.AckTimeout = connection.Duration(400 * time.Millisecond) }

// runs cuts what was published into runs of consecutive frames and says with which place, from 0, each begins.
func (r *route) runs() (begins []int) {
	r.t.Helper()
	place := map[string]int{}
	for i, raw := range r.sent() {
		place[string(raw)] = i
	}
	next := -1
	for _, raw := range publishedUnder(r.broker, "lora/") {
		i, known := place[string(raw)]
		if !known {
			r.t.Fatalf("published and never sent: %s", raw)
		}
		if i != next {
			begins = append(begins, i)
		}
		next = i + 1
	}
	return begins
}

// settled waits until everything is acknowledged, and checks what holds whatever has happened before.
func (r *route) settled(window int) testkit.Delivery {
	r.t.Helper()
	d := r.awaitAll()
	r.awaitStatus("acme", healthy)
	drops := r.reconnects("acme")
	if n := r.proxy.MaxInFlight(); n > window {
		r.t.Errorf("%d publishes were in flight, the window is %d", n, window)
	}
	if d.Repeated > drops*window {
		r.t.Errorf("%d repeats after %d drops with a window of %d", d.Repeated, drops, window)
	}
	return d
}

func TestWithheldPubacks(t *testing.T) {
	for _, window := range []int{1, 7, 100} {
		t.Run(fmt.Sprint(window), func(t *testing.T) {
			r := newRoute(t, nil)
			r.proxy.Withhold()
			r.put(r.spec("acme", func(s *connection.Spec) {
				late(s)
				s.MQTT.MaxInflight = window
			}))
			r.emit(2*window + 10)
			r.proxy.AwaitInFlight(window)
			r.broker.AwaitPublished(2*window + 1) // by the third session, in which they go one at a time
			r.awaitStatus("acme", func(messages.Status) bool { return r.reconnects("acme") >= 3 })
			for _, begin := range r.runs() {
				if begin != 0 {
					t.Errorf("a session began with frame %d, none is acknowledged", begin+1)
				}
			}
			r.proxy.Pass()
			r.settled(window)
			drops := r.reconnects("acme")
			if n := r.deps.Metrics.Connection("acme").BrokerReconnects.Load("ack_timeout"); int(n) != drops || drops < 3 {
				t.Errorf("%d drops for want of PUBACKs, of %d", n, drops)
			}
			if n := r.proxy.Connects(); n != drops+1 {
				t.Errorf("%d CONNECTs for %d attempts", n, drops+1)
			}
		})
	}
}

func TestPubacksForSomeOnly(t *testing.T) {
	r := newRoute(t, nil)
	r.proxy.Withhold()
	r.put(r.spec("acme", late))
	r.emit(300)
	r.proxy.AwaitHeld(100)
	released := r.proxy.Release(30) // fewer if the session has just been dropped
	dropped := r.reconnects("acme")
	r.awaitStatus("acme", func(messages.Status) bool { return r.reconnects("acme") > dropped+1 })
	for i, begin := range r.runs() {
		if i > 0 && begin != released && begin != 0 {
			t.Errorf("a session began with frame %d, %d were acknowledged", begin+1, released)
		}
	}
	r.proxy.Pass()
	r.settled(100)
}

func TestPubacksReleasedInTime(t *testing.T) {
	for _, c := range []struct {
		name    string
		release func(*testkit.PubackProxy) int
	}{
		{"in order", func(p *testkit.PubackProxy) int { return p.Release(1000) }},
		{"one by one", func(p *testkit.PubackProxy) int { return p.Release(1) }},
		{"reversed", func(p *testkit.PubackProxy) int { return p.ReleaseReversed() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoute(t, nil)
			r.proxy.Withhold()
			r.put(r.spec("acme", nil))
			r.emit(330)
			for released := 0; released < 330; released += c.release(r.proxy) {
				r.proxy.AwaitHeld(min(100, 330-released)) // the window is full again
			}
			if d := r.settled(100); d.Repeated > 0 || r.proxy.Connects() != 1 {
				t.Errorf("%d repeats, %d CONNECTs", d.Repeated, r.proxy.Connects())
			}
		})
	}
}

func TestPubacksInReverseOrder(t *testing.T) {
	r := newRoute(t, nil)
	r.proxy.Reverse(10)
	r.put(r.spec("acme", nil))
	r.emit(1000)
	if d := r.settled(100); d.Repeated > 0 {
		t.Errorf("%d repeats without a fault", d.Repeated)
	}
}

func TestDroppedPubacks(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", late))
	for range 3 {
		r.emit(300)
		dropped := r.proxy.Dropped()
		r.proxy.Drop()
		r.emit(50)
		r.proxy.AwaitDropped(dropped + 50)
		r.proxy.Pass()
		r.settled(100)
	}
	if n := r.reconnects("acme"); n < 3 || r.proxy.Connects() != n+1 {
		t.Errorf("%d drops, %d CONNECTs", n, r.proxy.Connects())
	}
}
