package actors

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/messages"
)

func TestPublisherNeverHasMoreThanAWindowUnacknowledged(t *testing.T) {
	for _, window := range []int{1, 2, 100} {
		t.Run(fmt.Sprint(window), quietly(func(t *testing.T) {
			const frames = 1000
			st := newStage(t, frames, func(s *connection.Spec) { s.MQTT.MaxInflight = window })
			s := st.session(0)
			for acked := 0; acked < frames; {
				published := s.numbers()
				if have := len(published) - acked; have > window || have == 0 {
					t.Fatalf("%d unacknowledged, want from 1 to %d", have, window)
				}
				// the newest first: the floor moves with the last of them
				for i := len(published) - 1; i >= acked; i-- {
					s.events.Acknowledged(published[i] << 1)
				}
				acked = len(published)
				synctest.Wait()
			}
			ascending(t, s.numbers(), 1)
			if got := st.shared.floor.load().Number; got != frames {
				t.Errorf("floor %d, want %d", got, frames)
			}
			if c := st.shared.counters.Snapshot(); c.Acknowledged != frames || c.Published != frames || c.Redelivered != 0 {
				t.Errorf("counters %+v", c)
			}
		}))
	}
}

func TestPublisherDropsASessionWhosePubackIsLate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newStage(t, 300, nil)
		first := st.session(0)
		for n := uint64(1); n <= 10; n++ {
			if n != 4 && n != 7 {
				first.events.Acknowledged(n << 1)
			}
		}
		advance(time.Second - time.Millisecond)
		if first.isClosed() {
			t.Fatal("the session was dropped before the PUBACK was late")
		}
		advance(time.Millisecond)
		if !first.isClosed() {
			t.Fatal("the session was not dropped when the PUBACK was late")
		}
		if n := len(st.broker.tried()); n != 1 {
			t.Fatalf("%d attempts at once", n)
		}
		advance(110 * time.Millisecond)
		second := st.session(1)
		got := second.numbers()
		if want := []uint64{4, 7, 11}; len(got) < 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
			t.Fatalf("after the drop %v were published, want %v and on: what had a PUBACK is not repeated", got[:min(3, len(got))], want)
		}
		ascending(t, got[2:], 11)
	})
}

func TestPublisherFollowsTheScheduleWithOneConnectForEachAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		refusal := errors.New("refused")
		st := newStage(t, 0, nil)
		first := st.session(0)
		st.broker.refusing(refusal)
		first.events.Lost(errors.New("gone")) // at once, so that it counts as a failure
		advance(10 * time.Minute)
		attempts := st.broker.tried()
		want := 100 * time.Millisecond
		for i := 1; i < len(attempts); i++ {
			waited := attempts[i] - attempts[i-1]
			if waited < want || waited > min(want*11/10, time.Minute) {
				t.Errorf("attempt %d came after %v, want %v and up to a tenth more", i, waited, want)
			}
			want = min(want*2, time.Minute)
		}
		if n := len(attempts); n < 18 || n > 20 {
			t.Errorf("%d attempts in ten minutes", n)
		}
		st.broker.refusing(nil)
		advance(time.Minute)
		lasting := st.session(1)
		advance(5 * time.Second)
		before := time.Since(st.broker.start)
		lasting.events.Lost(errors.New("gone"))
		advance(time.Second)
		st.session(2)
		if waited := slices.Max(st.broker.tried()) - before; waited > 110*time.Millisecond {
			t.Errorf("after a session that had lasted the next attempt took %v", waited)
		}
	})
}

func TestPublisherDrainsWhatIsInFlight(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newStage(t, 500, nil)
		s := st.session(0)
		st.system.Root.Send(st.children.publisher, &messages.Drain{})
		synctest.Wait()
		published := s.numbers()
		drained := func() bool {
			st.mu.Lock()
			defer st.mu.Unlock()
			_, is := st.heard[len(st.heard)-1].(*messages.Drained)
			return is
		}
		if drained() {
			t.Fatal("drained with frames in flight")
		}
		for _, n := range published {
			s.events.Acknowledged(n << 1)
		}
		synctest.Wait()
		if !drained() {
			t.Error("not drained after the last PUBACK")
		}
		if more := s.numbers(); len(more) != len(published) {
			t.Errorf("%d frames were published after the drain began", len(more)-len(published))
		}
	})
}

func TestPublisherKeepsToItsRate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newStage(t, 1000, func(s *connection.Spec) { s.MQTT.MaxRate = 20 })
		s := st.session(0)
		acked := 0
		for range 100 { // ten seconds
			for _, n := range s.numbers()[acked:] {
				s.events.Acknowledged(n << 1)
				acked++
			}
			advance(100 * time.Millisecond)
		}
		if n := len(s.numbers()); n < 195 || n > 205 {
			t.Errorf("%d frames in ten seconds at 20 a second", n)
		}
		ascending(t, s.numbers(), 1)
	})
}
