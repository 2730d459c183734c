package actors

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// request has the Network Server send a downlink_request that can be answered for so long, and returns what finds it.
func (n *fakeNS) request(answerable time.Duration) func(broker.Message) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := unixSeconds(time.Now())
	raw := fmt.Appendf(nil, `{"type":"downlink_request","meta":{"device":"70b3d50000000001","time":%.6f},"params":{"tx_time":%.6f,"counter_down":%d}}`,
		now, now+answerable.Seconds(), len(n.history)+1)
	n.history = append(n.history, sentFrame{raw, time.Now()})
	if len(n.streams) > 0 {
		n.streams[len(n.streams)-1].bring([]dataapi.Frame{frameOf(raw)})
	}
	return func(m broker.Message) bool { return bytes.Equal(m.Payload, raw) }
}

// places are where in everything published a message stands.
func (b *fakeBroker) places(is func(broker.Message) bool) (at []int) {
	for i, m := range b.published() {
		if is(m) {
			at = append(at, i)
		}
	}
	return at
}

// slowly has a connection publish ten frames a second, so that a backlog lasts.
func slowly(s *connection.Spec) { s.MQTT.MaxRate = 10 }

func anything(broker.Message) bool { return true }

// uplinksInOrder checks that all uplinks were delivered, the first time in order.
func (e *ends) uplinksInOrder(t *testing.T, want int) {
	t.Helper()
	taken := e.taken(func(m broker.Message) bool { return envelopeOf(t, m.Payload).Type != dataapi.Uplink })
	if len(taken) != want || !slices.IsSorted(taken) {
		t.Errorf("%d uplinks delivered, want %d; in order: %v", len(taken), want, slices.IsSorted(taken))
	}
}

func TestALiveRequestOvertakesABacklog(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", slowly)
		e.ns.send(1000)
		advance(10 * time.Second)
		request := e.ns.request(5 * time.Second)
		before := len(e.broker.published())
		advance(time.Second)
		if at := e.broker.places(request); len(at) != 1 || at[0] > before+1 {
			t.Fatalf("published at %v of %d, before: %d", at, len(e.broker.published()), before)
		}
		e.ns.send(10)
		advance(5 * time.Minute)
		e.uplinksInOrder(t, 1010)
		if at := e.broker.places(request); len(at) != 1 {
			t.Errorf("published at %v", at)
		}
		if s := st.status("acme"); s.Lag.Frames != 0 || s.Counters.Acknowledged != 1011 || s.Counters.Redelivered != 0 {
			t.Errorf("status %+v", s)
		}
		if n := st.deps.Metrics.Connection("acme").Overtaken.Load(); n != 1 {
			t.Errorf("%d overtook", n)
		}
	})
}

func TestRequestsKeepTheirPlaceWhileTheConnectionKeepsUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		for range 50 {
			e.ns.send(7)
			e.ns.request(5 * time.Second)
			e.ns.send(300)
			synctest.Wait()
		}
		st.complete("acme", 0)
		if n := st.deps.Metrics.Connection("acme").Overtaken.Load(); n != 0 {
			t.Errorf("%d overtook", n)
		}
	})
}

// A session that begins finds requests that can still be answered behind a backlog.
func TestARequestThatCameWhileTheBrokerWasAwayOvertakes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.at("acme")
		e.broker.refusing(errGone)
		st.put("acme", slowly)
		e.ns.send(500)
		advance(30 * time.Second)
		late := e.ns.request(time.Millisecond)
		request := e.ns.request(time.Minute)
		e.broker.refusing(nil)
		advance(55 * time.Second)
		if at := e.broker.places(request); len(at) != 1 || at[0] > 1 {
			t.Errorf("published at %v", at)
		}
		advance(2 * time.Minute)
		if at := e.broker.places(late); len(at) != 1 || at[0] != 501 {
			t.Errorf("the one that was too late was published at %v", at)
		}
		e.uplinksInOrder(t, 500)
	})
}

// What overtook is known to be delivered after a restart, too.
func TestWhatOvertookIsNotRepeatedAfterARestart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", slowly)
		e.ns.send(1000)
		advance(10 * time.Second)
		var requests []func(broker.Message) bool
		for range 20 {
			requests = append(requests, e.ns.request(time.Hour))
			advance(time.Second)
		}
		st.stop(time.Second)
		st.start()
		st.put("acme", nil)
		advance(time.Minute)
		for i, request := range requests {
			if at := e.broker.places(request); len(at) != 1 {
				t.Errorf("request %d was published at %v", i, at)
			}
		}
		e.uplinksInOrder(t, 1000)
	})
}

// backlogWithRequests leaves 1000 uplinks with an expired request behind every hundredth.
func backlogWithRequests(st *treeStage, change func(*connection.Spec)) (e *ends, requests []func(broker.Message) bool) {
	e = st.at("acme")
	e.broker.refusing(errGone)
	st.put("acme", change)
	for range 10 {
		e.ns.send(100)
		requests = append(requests, e.ns.request(5*time.Second))
		advance(time.Second)
	}
	advance(time.Minute)
	e.broker.refusing(nil)
	return e, requests
}

func TestExpiredRequestsGoLast(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e, requests := backlogWithRequests(st, nil)
		advance(2 * time.Minute)
		for i, request := range requests {
			if at := e.broker.places(request); len(at) != 1 || at[0] != 1000+i {
				t.Errorf("request %d was published at %v", i, at)
			}
		}
		e.uplinksInOrder(t, 1000)
		counters := st.deps.Metrics.Connection("acme")
		if n := counters.RequestsExpired.Load(expiredLast); n != 10 {
			t.Errorf("%d counted", n)
		}
		if s := st.status("acme"); s.Lag.Frames != 0 || s.Counters.Acknowledged != 1010 {
			t.Errorf("status %+v", s)
		}
		e.ns.send(1) // what is aside is given back
		synctest.Wait()
		if stream, err := st.store.Stream(t.Context(), buffer.StreamName); err != nil {
			t.Error(err)
		} else if msg, err := stream.GetLastMsgForSubject(t.Context(), "aside.acme"); err == nil {
			t.Errorf("still aside: %s", msg.Data)
		}
		st.stop(time.Second)
		st.start()
		st.put("acme", nil)
		advance(time.Minute)
		if n := len(e.broker.published()); n != 1011 {
			t.Errorf("after a restart %d in all were published", n)
		}
	})
}

func TestExpiredRequestsAreDiscardedOnRequest(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e, requests := backlogWithRequests(st, func(s *connection.Spec) { s.Downlink.ExpiredRequests = connection.ExpiredDiscard })
		advance(2 * time.Minute)
		for i, request := range requests {
			if at := e.broker.places(request); len(at) > 0 {
				t.Errorf("request %d was published at %v", i, at)
			}
		}
		e.uplinksInOrder(t, 1000)
		if n := st.deps.Metrics.Connection("acme").RequestsExpired.Load(expiredDiscarded); n != 10 {
			t.Errorf("%d counted", n)
		}
		if s := st.status("acme"); s.Lag.Frames != 0 {
			t.Errorf("status %+v", s)
		}
	})
}

// A process that ends without saving its cursor finds what it has set aside, and does not set it aside again.
func TestWhatIsAsideSurvivesACrash(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e, requests := backlogWithRequests(st, slowly)
		st.store.change(func(f *faultyJetStream) { f.cursor = errGone })
		advance(90 * time.Second) // some way into the backlog
		first := len(e.broker.published())
		if first == 0 || first >= 1000 {
			t.Fatalf("%d published before the crash", first)
		}
		st.stop(time.Second)
		st.store.change(func(f *faultyJetStream) { f.cursor = nil })
		st.start()
		st.put("acme", nil)
		advance(time.Minute)
		all := e.broker.published()
		for i, request := range requests {
			if at := e.broker.places(request); len(at) != 1 || at[0] != len(all)-len(requests)+i {
				t.Errorf("request %d was published at %v of %d", i, at, len(all))
			}
		}
		e.uplinksInOrder(t, 1000)
	})
}

func TestSettingAsideWaitsForTheStore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e, requests := backlogWithRequests(st, nil)
		st.store.failing(errGone)
		advance(10 * time.Minute)
		if n := len(e.broker.places(anything)); n != 100 {
			t.Errorf("%d were published before the first request that cannot be set aside", n)
		}
		st.store.failing(nil)
		advance(2 * time.Minute)
		for i, request := range requests {
			if at := e.broker.places(request); len(at) != 1 || at[0] != 1000+i {
				t.Errorf("request %d was published at %v", i, at)
			}
		}
		e.uplinksInOrder(t, 1000)
	})
}
