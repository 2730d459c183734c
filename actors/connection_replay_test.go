package actors

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/connection"
)

func TestAStretchOfTimeIsDeliveredAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		e.ns.send(1000) // before the stretch
		advance(time.Minute)
		from := time.Now()
		for range 5 {
			e.ns.send(700)
			advance(time.Second)
		}
		e.ns.request(time.Second)
		advance(time.Minute)
		to := time.Now()
		e.ns.send(1000) // behind it
		advance(time.Minute)
		before, cursor := len(e.broker.published()), st.cursor("acme")
		if err := st.tree.Replay("acme", from, to); err != nil {
			t.Fatal(err)
		}
		if err := st.tree.Replay("acme", from, to); !errors.Is(err, ErrReplaying) {
			t.Errorf("a second replay at once: %v", err)
		}
		advance(1500 * time.Millisecond)
		r := st.status("acme").Replay
		if r == nil || r.Frames != 3501 || r.Delivered == 0 || r.Delivered >= r.Frames {
			t.Errorf("replay %+v", r)
		}
		e.ns.send(10) // what is live is not held up
		synctest.Wait()
		if m := e.broker.last(); !counting(5511)(m) {
			t.Errorf("the last frame is %s", m.Payload)
		}
		advance(10 * time.Second)
		if r := st.status("acme").Replay; r != nil {
			t.Errorf("replay %+v", r)
		}
		var again []string
		for _, m := range e.broker.published()[before:] {
			again = append(again, string(m.Payload))
		}
		if len(again) != 3511 || len(st.log.with("a replay is over")) != 1 {
			t.Fatalf("%d frames published, log %v", len(again), st.log.with("a replay is over"))
		}
		sent, next := e.ns.sent(), 1000
		for _, raw := range again {
			if raw == string(sent[next]) && next < 4501 {
				next++
			}
		}
		if next != 4501 {
			t.Errorf("what was delivered again ends before frame %d, or is out of order", next+1)
		}
		if now := st.cursor("acme"); now.Number != cursor.Number+10 {
			t.Errorf("the cursor went from %d to %d", cursor.Number, now.Number)
		}
		if err := st.tree.Replay("acme", to, to.Add(time.Hour)); err != nil { // it can be done again
			t.Error(err)
		}
		advance(time.Minute)
	})
}

func TestAReplayLeavesOutWhatIsDiscarded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", func(s *connection.Spec) { s.Downlink.ExpiredRequests = connection.ExpiredDiscard })
		from := time.Now()
		e.ns.send(10)
		request := e.ns.request(time.Second)
		advance(time.Minute)
		if err := st.tree.Replay("acme", from, time.Now()); err != nil {
			t.Fatal(err)
		}
		advance(time.Minute)
		if n := len(e.broker.places(request)); n != 1 || len(e.broker.published()) != 21 {
			t.Errorf("the request was published %d times of %d", n, len(e.broker.published()))
		}
		if over := st.log.with("a replay is over"); len(over) != 1 || over[0]["frames"] != 10.0 {
			t.Errorf("counted: %v", over)
		}
	})
}

func TestAReplayThatCannotBe(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		from := time.Now()
		if err := st.tree.Replay("nobody", from, from.Add(time.Hour)); !errors.Is(err, ErrNotRunning) {
			t.Errorf("error %v", err)
		}
		e := st.put("acme", nil)
		e.ns.send(10)
		advance(time.Minute)
		st.store.failing(errGone)
		if err := st.tree.Replay("acme", from, time.Now()); err != nil {
			t.Fatal(err)
		}
		advance(time.Minute)
		failed := st.log.with("a replay has failed; what of it is aside is delivered")
		if len(failed) != 1 || !strings.Contains(failed[0]["error"].(string), errGone.Error()) || st.status("acme").Replay != nil {
			t.Errorf("log %v", failed)
		}
		st.store.failing(nil)
	})
}

// A replay that the end of the process cuts short delivers what it has put aside.
func TestAReplayThatIsCutShort(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		from := time.Now()
		e.ns.send(5000)
		advance(time.Minute)
		e.broker.refusing(errGone)
		e.broker.current().events.Lost(errGone)
		if err := st.tree.Replay("acme", from, time.Now()); err != nil {
			t.Fatal(err)
		}
		advance(2 * time.Second)
		st.stop(time.Second)
		st.start()
		e.broker.refusing(nil)
		st.put("acme", nil)
		advance(time.Minute)
		again := len(e.broker.published()) - 5000
		if again < 1000 || again >= 5000 {
			t.Errorf("%d were delivered again", again)
		}
		if s := st.status("acme"); s.Replay != nil || s.State != "connected" {
			t.Errorf("status %+v", s)
		}
		if len(e.broker.places(func(m broker.Message) bool { return counting(1)(m) })) != 2 {
			t.Error("the first was not delivered again once")
		}
	})
}
