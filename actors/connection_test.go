package actors

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

func TestCursorIsSavedOnceASecondAtMost(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		for range 1000 {
			e.ns.send(3)
			advance(10 * time.Millisecond)
		}
		advance(time.Second)
		saves := st.store.saves()
		if n := len(saves); n < 10 || n > 13 { // the first takes the cursor over
			t.Errorf("%d writes in ten seconds", n)
		}
		for i := 2; i < len(saves); i++ {
			if d := saves[i].Sub(saves[i-1]); d < time.Second {
				t.Errorf("%v between two writes", d)
			}
		}
		if c := st.cursor("acme"); c.Number != 3000 || c.Epoch != 1 || c.Time != e.ns.newest() {
			t.Errorf("the cursor is %+v", c)
		}
		before := len(saves)
		advance(time.Hour)
		if n := len(st.store.saves()); n != before {
			t.Errorf("%d writes while nothing moved", n-before)
		}
	})
}

func TestCursorFollowsTheAcknowledgedFloorOnly(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st, e := drainStage(t)
		s := e.broker.current()
		for _, n := range s.numbers() {
			if n != 1 && n != 60 {
				s.events.Acknowledged(n << 1)
			}
		}
		advance(500 * time.Millisecond)
		if c := st.cursor("acme"); c.Number != 0 {
			t.Errorf("the cursor passed frame 1: %+v", c)
		}
		s.events.Acknowledged(1 << 1)
		advance(400 * time.Millisecond)
		if c := st.cursor("acme"); c.Number != 59 {
			t.Errorf("the cursor is at %d, frame 60 is not acknowledged", c.Number)
		}
	})
}

func TestCursorThatCannotBeSavedIsSavedLater(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		for _, fail := range []func(*faultyJetStream){
			func(f *faultyJetStream) { f.cursor = errors.New("disk full") },
			func(f *faultyJetStream) { f.loseAcks = true },
		} {
			st.store.change(fail)
			for range 30 {
				e.ns.send(10)
				advance(time.Second)
			}
			st.store.change(func(f *faultyJetStream) { f.cursor, f.loseAcks = nil, false })
			e.ns.send(10)
			advance(2 * time.Minute)
			st.complete("acme", 100)
			if s := st.status("acme"); s.State != telemetry.Connected || s.Source.LastError != "" || s.Lag.Frames != 0 {
				t.Errorf("status %+v", s)
			}
			if c := st.cursor("acme"); c.Number != uint64(len(e.ns.sent())) {
				t.Errorf("the cursor is at %d of %d", c.Number, len(e.ns.sent()))
			}
		}
	})
}

// A connection whose buffer somebody else has written to opens it anew, and goes on behind what is there.
func TestConnectionThatIsFencedGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		for range 5 {
			e.ns.send(20)
			synctest.Wait()
			other, err := st.deps.Store.OpenLog(t.Context(), "acme", 0)
			if err != nil {
				t.Fatal(err)
			}
			foreign := e.ns.remember()
			if _, err := other.Append(t.Context(), []dataapi.Frame{frameOf(foreign)}); err != nil {
				t.Fatal(err)
			}
			e.ns.send(20)
			advance(10 * time.Second)
			e.ns.send(20)
			st.complete("acme", 0)
			if s := st.status("acme"); s.State != telemetry.Connected || s.Broker.LastError != "" {
				t.Errorf("status %+v", s)
			}
		}
		if n := len(e.broker.all()); n != 6 {
			t.Errorf("%d MQTT sessions", n)
		}
	})
}

// A connection whose cursor somebody else has taken over takes it back.
func TestConnectionThatLostItsCursorGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		e.ns.send(20)
		advance(2 * time.Second)
		cursor, revision, err := st.deps.Cursors.Load(t.Context(), "acme")
		if err != nil {
			t.Fatal(err)
		}
		cursor.Epoch++
		if _, err := st.deps.Cursors.Save(t.Context(), "acme", cursor, revision); err != nil {
			t.Fatal(err)
		}
		e.ns.send(20)
		synctest.Wait()
		if s := st.status("acme"); s.State != telemetry.Backoff || s.Broker.LastError == "" {
			t.Errorf("status %+v", s)
		}
		advance(time.Minute)
		e.ns.send(20)
		st.complete("acme", 20) // those whose PUBACKs were on their way when it stopped
		advance(2 * time.Second)
		if c := st.cursor("acme"); c.Number != 60 || c.Epoch != 3 {
			t.Errorf("the cursor is %+v", c)
		}
	})
}

func TestConnectionThatCannotOpenItsBuffer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		st.store.change(func(f *faultyJetStream) { f.cursor = errors.New("disk full") })
		e, other := st.put("acme", nil), st.at("other")
		advance(time.Minute)
		s := st.status("acme")
		if want := "save the cursor of connection acme: disk full"; s.State != telemetry.Backoff || s.Source.LastError != want {
			t.Errorf("status %+v", s)
		}
		saves := st.store.saves()
		want := 100 * time.Millisecond
		for i := 1; i < len(saves); i++ {
			if d := saves[i].Sub(saves[i-1]); d < want || d > want*11/10 {
				t.Errorf("attempt %d came after %v, want %v", i, d, want)
			}
			want *= 2
		}
		if len(e.ns.all())+len(e.broker.all()) > 0 {
			t.Error("something was connected before there was a buffer")
		}
		st.store.change(func(f *faultyJetStream) { f.cursor = nil })
		st.put("other", nil)
		advance(time.Minute)
		for _, e := range []*ends{e, other} {
			e.ns.send(10)
		}
		st.complete("acme", 0)
		st.complete("other", 0)
		if s := st.status("acme"); s.State != telemetry.Connected || s.Source.LastError+s.Broker.LastError != "" {
			t.Errorf("status %+v", s)
		}
	})
}

func TestConnectionThatIsNotEnabledOrMisconfigured(t *testing.T) {
	for _, c := range []struct {
		name   string
		state  telemetry.State
		said   string
		change func(*connection.Spec)
	}{
		{"disabled", telemetry.Stopped, "", func(s *connection.Spec) { s.Enabled = false }},
		{"topic", telemetry.Misconfigured, `topic_up: `, func(s *connection.Spec) { s.TopicUp = "lora/{nobody}" }},
		{"uri", telemetry.Misconfigured, "uri: ", func(s *connection.Spec) { s.URI = connection.NewURI("mqtt://") }},
		{"tls", telemetry.Misconfigured, "tls", func(s *connection.Spec) {
			s.URI, s.TLS.CA = connection.NewURI("mqtts://broker.example"), "no PEM"
		}},
	} {
		t.Run(c.name, quietly(func(t *testing.T) {
			st := newTreeStage(t, nil)
			e := st.put("acme", c.change)
			advance(time.Hour)
			s := st.status("acme")
			if s.State != c.state || !strings.HasPrefix(s.Broker.LastError, c.said) {
				t.Errorf("status %+v", s)
			}
			if len(e.ns.dialled())+len(e.broker.tried())+len(st.store.saves()) > 0 {
				t.Error("it did something")
			}
			st.put("acme", nil)
			e.ns.send(10)
			st.complete("acme", 0)
			st.put("acme", c.change)
			advance(time.Second)
			if s := st.status("acme"); s.State != c.state {
				t.Errorf("status %+v", s)
			}
			if !e.broker.current().isClosed() {
				t.Error("the MQTT session was left open")
			}
		}))
	}
}

func TestConnectionsComeAndGo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		var want []string
		for i := range 10 {
			id := fmt.Sprintf("c%d", i)
			st.put(id, nil).ns.send(10)
			want = append(want, id)
		}
		synctest.Wait()
		for _, id := range []string{"c3", "c0", "c9", "nobody"} {
			if err := st.tree.Remove(id); err != nil {
				t.Error(err)
			}
			want = slices.DeleteFunc(want, func(other string) bool { return other == id })
		}
		all, err := st.tree.Status()
		if err != nil {
			t.Fatal(err)
		}
		got := make([]string, 0, len(all))
		for _, s := range all {
			got = append(got, s.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("there are %v, want %v", got, want)
		}
		if c := st.cursor("c3"); c.Number != 10 {
			t.Errorf("the cursor of one that was removed is at %d", c.Number)
		}
		e := st.put("c3", nil) // what it missed meanwhile is not forgotten
		e.ns.send(10)
		for _, id := range append(want, "c0", "c3", "c9") {
			st.complete(id, 0)
		}
	})
}

// newest is the meta.time of the newest frame.
func (n *fakeNS) newest() float64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return frameOf(n.history[len(n.history)-1].raw).Envelope.Meta.Time
}

// remember is a frame that counts as sent without having been.
func (n *fakeNS) remember() []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.generate().Raw
}
