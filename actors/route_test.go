package actors

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/messages"
)

func TestEveryFrameReachesTheBrokerInOrder(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", nil))
	r.emit(2000)
	if d := r.awaitAll(); d.Repeated > 0 {
		t.Errorf("%d repeats without a fault", d.Repeated)
	}
	s := r.awaitStatus("acme", func(s messages.Status) bool { return s.Counters.Acknowledged == 2000 })
	if !healthy(s) || s.Counters.Received != 2000 || s.Counters.Stored != 2000 {
		t.Errorf("status %+v", s)
	}
	if r.proxy.MaxInFlight() > 100 || r.proxy.Connects() != 1 {
		t.Errorf("at most %d in flight, %d CONNECTs", r.proxy.MaxInFlight(), r.proxy.Connects())
	}
}

func TestTwentyConnectionsEachInOrder(t *testing.T) {
	const connections = 20
	r := newRoute(t, nil)
	for i := range connections {
		r.put(r.spec(fmt.Sprintf("c%d", i), func(s *connection.Spec) {
			s.TopicUp, s.TopicDown = fmt.Sprintf("from/c%d/{type}", i), fmt.Sprintf("to/c%d", i)
		}))
	}
	r.awaitNS("all streams", func(s simulator.Stats) bool { return s.Streams == connections })
	r.emit(250)
	for i := range connections {
		if d := r.awaitUnder(fmt.Sprintf("from/c%d/", i)); d.Repeated > 0 {
			t.Errorf("connection %d: %d repeats without a fault", i, d.Repeated)
		}
	}
	if n := r.proxy.Connects(); n != connections {
		t.Errorf("%d CONNECTs", n)
	}
	for i := range connections { // each has its own way back
		r.broker.Send(fmt.Sprintf("to/c%d", i), []byte(claim(i)), 1)
	}
	r.awaitNS("downlinks", func(s simulator.Stats) bool { return s.Received == connections })
	streams := map[uint64]bool{}
	for _, d := range r.ns.Received() {
		streams[d.Stream] = true
	}
	if len(streams) != connections {
		t.Errorf("the downlinks came over %d streams", len(streams))
	}
}

func TestTheNetworkServersAbsenceLosesNothing(t *testing.T) {
	for _, how := range []simulator.Drop{simulator.Reset, simulator.Hangup, simulator.CloseFrame} {
		t.Run(how.String(), func(t *testing.T) {
			r := newRoute(t, func(p *routeParts) { p.ns.History.Reshuffle = true })
			r.put(r.spec("acme", nil))
			r.emit(300)
			r.awaitAll()
			for range 3 {
				r.absence(200, func() {
					if r.ns.Drop(how) == 0 {
						t.Fatal("there was no stream to drop")
					}
				})
				r.awaitAll() // what was missed comes from history, interleaved with what is live
				r.emit(100)
			}
			if d := r.awaitAll(); d.Repeated > 0 {
				t.Errorf("%d repeats: the history was not merged", d.Repeated)
			}
		})
	}
}

func TestAProcessThatEndsGoesOnWhereItStopped(t *testing.T) {
	r := newRoute(t, nil)
	for range 3 {
		r.put(r.spec("acme", nil))
		r.awaitAll() // what was missed comes from history
		r.emit(200)
		if d := r.awaitAll(); d.Repeated > 0 {
			t.Errorf("%d repeats after drains", d.Repeated)
		}
		r.stop()
		r.emit(200)
		r.start()
	}
}

// What is live while a replay is under way is newer than what is missing. A process that ends then must ask again
// from where the replay began.
func TestAProcessThatEndsWithinAReplayAsksForItAgain(t *testing.T) {
	var later atomic.Int64 // by how much the Network Server's clock is ahead
	r := newRoute(t, func(p *routeParts) {
		p.ns.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
		p.ns.History.ReplayDelay = 5 * time.Second // longer than it takes to store what is live
	})
	stored := func(n uint64) {
		t.Helper()
		r.awaitStatus("acme", func(s messages.Status) bool { return s.Counters.Stored == n })
	}
	r.put(r.spec("acme", nil))
	r.emit(50)
	r.awaitAll()
	r.stop()
	r.emit(100) // missed
	later.Store(int64(time.Hour / 2))
	r.start()
	r.put(r.spec("acme", nil))
	r.emit(20) // live, while the replay has not begun
	stored(70)
	r.stop()
	r.start()
	r.put(r.spec("acme", nil))
	r.emit(5)
	stored(175) // what was missed comes after what was live: in the order received
	r.awaitStatus("acme", func(s messages.Status) bool { return s.Lag.Frames == 0 && s.Counters.Acknowledged >= 175 })
}
