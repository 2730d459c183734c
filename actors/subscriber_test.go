package actors

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

func TestSubscriberSubscribesOncePerSession(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		for n := range 5 {
			s := e.broker.current()
			if got := s.subscriptions(); len(got) != 1 || got[0] != e.broker.tried()[n] {
				t.Errorf("session %d was subscribed at %v, it was opened at %v", n, got, e.broker.tried()[n])
			}
			advance(time.Minute)
			s.events.Lost(errGone)
			advance(time.Second)
		}
		for _, s := range e.broker.all() {
			if n := len(s.subscriptions()); n != 1 {
				t.Errorf("%d subscriptions in one session", n)
			}
		}
	})
}

func TestSubscriberLeavesASessionAloneWithoutTopicDown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", func(s *connection.Spec) { s.TopicDown = "" })
		e.broker.current().events.Lost(errGone)
		advance(time.Minute)
		for _, s := range e.broker.all() {
			if got := s.subscriptions(); len(got) != 0 {
				t.Errorf("subscribed at %v", got)
			}
		}
	})
}

func TestASubscriptionThatIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.at("acme")
		e.broker.denying(errors.New("SUBACK 0x80"))
		st.put("acme", nil)
		for range 300 {
			e.ns.send(1)
			advance(time.Second)
		}
		st.complete("acme", 0)
		if s := st.status("acme"); s.State != telemetry.Connected || s.Broker.State != telemetry.Connected || s.Broker.LastError != "SUBACK 0x80" {
			t.Errorf("status %+v", s)
		}
		s := e.broker.current()
		tried := s.subscriptions()
		want := 100 * time.Millisecond
		for i := 1; i < len(tried); i++ {
			if waited := tried[i] - tried[i-1]; waited < want || waited > min(want*11/10, time.Minute) {
				t.Errorf("attempt %d came after %v, want %v and up to a tenth more", i, waited, want)
			}
			want = min(want*2, time.Minute)
		}
		if n := len(st.log.with("no subscription: downlinks do not arrive")); n != 1 {
			t.Errorf("the refusal was logged %d times", n)
		}

		e.broker.denying(nil)
		advance(time.Minute)
		if s := st.status("acme"); s.Broker.LastError != "" {
			t.Errorf("status %+v", s)
		}
		granted := len(s.subscriptions())
		advance(10 * time.Minute)
		if n := len(s.subscriptions()); n != granted {
			t.Errorf("it was subscribed %d times more", n-granted)
		}

		e.broker.denying(errors.New("SUBACK 0x80"))
		s.events.Lost(errGone)
		advance(200 * time.Millisecond) // the schedule begins anew with a session
		if got := e.broker.current().subscriptions(); len(got) != 1 {
			t.Errorf("in its first moment the new session was subscribed at %v", got)
		}
		advance(250 * time.Millisecond)
		if got := e.broker.current().subscriptions(); len(got) != 3 {
			t.Errorf("in its first moments the new session was subscribed at %v", got)
		}
	})
}

// A subscription that is not answered ends with its session, and says nothing of its own then.
func TestASubscriptionThatIsNotAnswered(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.at("acme")
		e.broker.change(func(b *fakeBroker) { b.mute = true })
		st.put("acme", nil)
		advance(5 * time.Second)
		first := e.broker.current()
		first.events.Lost(errGone)
		synctest.Wait()
		if s := st.status("acme"); s.Broker.LastError != "gone" {
			t.Errorf("status %+v", s)
		}
		advance(15 * time.Second)
		if got, want := st.status("acme").Broker.LastError, "subscribe: context deadline exceeded"; got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
		if n := len(e.broker.current().subscriptions()); n != 2 {
			t.Errorf("%d attempts in 15 s, each has 10 s", n)
		}
		e.broker.change(func(b *fakeBroker) { b.mute = false })
		advance(time.Minute)
		if s := st.status("acme"); s.Broker.LastError != "" {
			t.Errorf("status %+v", s)
		}
		if got := first.subscriptions(); !slices.Equal(got, []time.Duration{0}) {
			t.Errorf("the session that ended was subscribed at %v", got)
		}
	})
}
