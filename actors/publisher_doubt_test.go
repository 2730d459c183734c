package actors

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// counting is a message that holds the uplink of that number.
func counting(n int) func(broker.Message) bool {
	return func(m broker.Message) bool { return bytes.Contains(m.Payload, fmt.Appendf(nil, `"counter_up":%d}`, n)) }
}

func either(predicates ...func(broker.Message) bool) func(broker.Message) bool {
	return func(m broker.Message) bool {
		for _, p := range predicates {
			if p(m) {
				return true
			}
		}
		return false
	}
}

func (st *treeStage) parked(id string) []buffer.ParkedFrame {
	st.t.Helper()
	frames, err := st.deps.Parked.List(st.t.Context(), id, 0, 100)
	if err != nil {
		st.t.Fatal(err)
	}
	return frames
}

// taken are the uplinks that a broker acknowledged, in the order of their first delivery; only of a fake that
// acknowledges all but poison.
func (e *ends) taken(poison func(broker.Message) bool) (numbers []int) {
	seen := map[int]bool{}
	for _, m := range e.broker.published() {
		if poison(m) {
			continue
		}
		var n int
		_, counter, _ := strings.Cut(string(m.Payload), `"counter_up":`)
		if _, err := fmt.Sscanf(counter, "%d", &n); err == nil && !seen[n] {
			seen[n] = true
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func TestAFrameThatNoSessionSurvivesIsParkedAndTheOthersGoOn(t *testing.T) {
	for name, poisonous := range map[string][]int{"one": {20}, "the first": {1}, "neighbours": {20, 21}, "two": {5, 40}} {
		t.Run(name, quietly(func(t *testing.T) {
			st := newTreeStage(t, nil)
			e := st.at("acme")
			var predicates []func(broker.Message) bool
			for _, n := range poisonous {
				predicates = append(predicates, counting(n))
			}
			poison := either(predicates...)
			e.broker.poison = poison
			st.put("acme", nil)
			e.ns.send(50)
			advance(time.Hour)
			e.ns.send(50) // they pass at once
			synctest.Wait()
			parked := st.parked("acme")
			if len(parked) != len(poisonous) {
				t.Fatalf("parked: %+v", parked)
			}
			for i, f := range parked {
				if f.Number != uint64(poisonous[i]) || f.Attempts != parkAfter || f.Reason == "" ||
					!strings.HasPrefix(f.Topic, "lora/uplink/70b3d5") || !poison(broker.Message{Payload: f.Raw}) {
					t.Errorf("parked: %+v %s", f, f.Raw)
				}
			}
			if taken := e.taken(poison); len(taken) != 100-len(poisonous) {
				t.Errorf("%d others were delivered: %v", len(taken), taken)
			}
			if s := st.status("acme"); s.Lag.Frames != 0 || s.Counters.Parked != uint64(len(poisonous)) {
				t.Errorf("status %+v", s)
			}
			if logged := st.log.with("the broker does not take a frame: it was parked, and can be sent again or dropped"); len(logged) != len(poisonous) {
				t.Errorf("logged %v", logged)
			}
		}))
	}
}

// A frame in doubt is overtaken by one other frame at most in each session that tries it.
func TestOnlyTheTrialOvertakesAFrameInDoubt(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.at("acme")
		poison := counting(20)
		e.broker.poison = poison
		st.put("acme", nil)
		e.ns.send(200)
		advance(time.Hour)
		var disorder []int
		last := 0
		for _, n := range e.taken(poison) {
			if n < last {
				disorder = append(disorder, n)
			}
			last = max(last, n)
		}
		if len(disorder) > 0 { // 21 came before 20, which never came
			t.Errorf("delivered out of order: %v", disorder)
		}
		for _, s := range e.broker.all() {
			if numbers := s.numbers(); len(numbers) > 2 && len(s.numbers()) < 100 && s.poisoned && numbers[0] != 1 {
				t.Errorf("a session with a frame in doubt published %v", numbers)
			}
		}
	})
}

func TestNothingIsParkedForABrokerThatTakesNothing(t *testing.T) {
	for name, set := range map[string]func(*fakeBroker){
		"it is away":               func(b *fakeBroker) { b.refuse = errGone },
		"it acknowledges nothing":  func(b *fakeBroker) { b.acking = false },
		"it ends at every message": func(b *fakeBroker) { b.poison = func(broker.Message) bool { return true } },
	} {
		t.Run(name, quietly(func(t *testing.T) {
			st := newTreeStage(t, nil)
			e := st.at("acme")
			set(e.broker)
			st.put("acme", nil)
			e.ns.send(300)
			advance(6 * time.Hour)
			if parked := st.parked("acme"); len(parked) > 0 {
				t.Errorf("parked: %+v", parked)
			}
			e.broker.change(func(b *fakeBroker) { b.refuse, b.acking, b.poison = nil, true, nil })
			advance(5 * time.Minute)
			if taken := e.taken(func(broker.Message) bool { return false }); len(taken) != 300 {
				t.Errorf("%d of 300 delivered", len(taken))
			}
			if s := st.status("acme"); s.Lag.Frames != 0 || s.Counters.Parked != 0 {
				t.Errorf("status %+v", s)
			}
		}))
	}
}

func TestAFrameThatWasUnluckyIsNotParked(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.at("acme")
		left := 2 * parkAfter // sessions that end with it, whatever passes
		e.broker.poison = func(broker.Message) bool {
			if left > 0 {
				left--
				return true
			}
			return false
		}
		st.put("acme", nil)
		e.ns.send(30)
		advance(time.Hour)
		if parked := st.parked("acme"); len(parked) > 0 {
			t.Errorf("parked: %+v", parked)
		}
		if s := st.status("acme"); s.Lag.Frames != 0 {
			t.Errorf("status %+v", s)
		}
	})
}

// With nothing behind it there is no telling whether the broker takes anything else.
func TestALoneFrameIsParkedOnlyWhenAnotherPasses(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.at("acme")
		e.broker.poison = counting(1)
		st.put("acme", nil)
		e.ns.send(1)
		advance(time.Hour)
		if parked := st.parked("acme"); len(parked) > 0 {
			t.Fatalf("parked: %+v", parked)
		}
		e.ns.send(1)
		advance(5 * time.Minute)
		if parked := st.parked("acme"); len(parked) != 1 || parked[0].Number != 1 {
			t.Errorf("parked: %+v", parked)
		}
	})
}

func TestAParkedFrameIsSentAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.at("acme")
		e.broker.poison = counting(20)
		st.put("acme", nil)
		e.ns.send(50)
		advance(time.Hour)
		seq := st.parked("acme")[0].Seq
		if err := st.tree.Resend("acme", seq+1); err == nil || !strings.Contains(err.Error(), buffer.ErrNotParked.Error()) {
			t.Errorf("another frame is sent again: %v", err)
		}
		if err := st.tree.Resend("nobody", seq); err == nil || !strings.Contains(err.Error(), ErrNotRunning.Error()) {
			t.Errorf("another connection sends again: %v", err)
		}
		e.broker.change(func(b *fakeBroker) { b.poison = nil })
		if err := st.tree.Resend("acme", seq); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if m := e.broker.last(); !counting(20)(m) {
			t.Errorf("%s was published to %s", m.Payload, m.Topic)
		}
		if parked := st.parked("acme"); len(parked) > 0 {
			t.Errorf("still parked: %+v", parked)
		}
		before := len(e.broker.published())
		st.stop(time.Minute)
		st.start()
		st.put("acme", nil)
		advance(time.Minute)
		if all := e.broker.published(); len(all) != before {
			t.Errorf("after a restart %s was published", all[len(all)-1].Payload)
		}
	})
}

// A frame that is sent again and still not taken is parked again, and holds up nobody.
func TestAParkedFrameThatIsStillNotTaken(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.at("acme")
		e.broker.poison = counting(20)
		st.put("acme", nil)
		e.ns.send(50)
		advance(time.Hour)
		if err := st.tree.Resend("acme", st.parked("acme")[0].Seq); err != nil {
			t.Fatal(err)
		}
		for range 60 {
			advance(time.Minute)
			e.ns.send(10)
		}
		advance(time.Hour)
		if parked := st.parked("acme"); len(parked) != 1 || !counting(20)(broker.Message{Payload: parked[0].Raw}) {
			t.Errorf("parked: %+v", parked)
		}
		if taken := e.taken(counting(20)); len(taken) != 649 {
			t.Errorf("%d others were delivered", len(taken))
		}
		if s := st.status("acme"); s.Lag.Frames != 0 || s.Counters.Parked != 2 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestParkingWaitsForTheStore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.at("acme")
		e.broker.poison = counting(20)
		st.put("acme", func(s *connection.Spec) { s.TopicDown = "" })
		e.ns.send(50)
		synctest.Wait()
		st.store.failing(errGone)
		advance(time.Hour)
		if s := st.status("acme"); !strings.Contains(s.Source.LastError, "park frame 20") || s.Lag.Frames == 0 {
			t.Errorf("status %+v", s)
		}
		st.store.failing(nil)
		advance(5 * time.Minute)
		if parked := st.parked("acme"); len(parked) != 1 {
			t.Errorf("parked: %+v", parked)
		}
		if s := st.status("acme"); s.Lag.Frames != 0 || s.Source.LastError != "" {
			t.Errorf("status %+v", s)
		}
	})
}

// envelopeOf is what a payload says of itself.
func envelopeOf(t *testing.T, payload []byte) dataapi.Envelope {
	t.Helper()
	envelope, err := dataapi.Scan(payload)
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}
