package actors

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/messages"
)

// saboteur replaces one child of the connection "failing" by one that panics when the test wants it.
type saboteur struct {
	child  string
	panics func(message any) bool

	mu     sync.Mutex
	begins []time.Time // of the child's lives
	parent *actor.PID
}

func (s *saboteur) replace(connection, child string, made actor.Actor) actor.Actor {
	if connection != "failing" || child != s.child {
		return made
	}
	return &faulty{made, func(ctx actor.Context) bool {
		if _, started := ctx.Message().(*actor.Started); started {
			s.mu.Lock()
			s.begins, s.parent = append(s.begins, time.Now()), ctx.Parent()
			s.mu.Unlock()
		}
		return s.panics(ctx.Message())
	}}
}

// lives is when the child was started.
func (s *saboteur) lives() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time(nil), s.begins...)
}

// followsSchedule checks that restarts came after 0.1 s, doubling to 60 s, each up to a tenth late.
func followsSchedule(t *testing.T, lives []time.Time) {
	t.Helper()
	want := 100 * time.Millisecond
	for i := 1; i < len(lives); i++ {
		if waited := lives[i].Sub(lives[i-1]); waited < want || waited > min(want*11/10, time.Minute) {
			t.Errorf("restart %d came after %v, want %v and up to a tenth more", i, waited, want)
		}
		want = min(want*2, time.Minute)
	}
}

// eachChild runs a test for each of the four children, in a bubble.
func eachChild(t *testing.T, f func(t *testing.T, child string)) {
	for _, child := range childActors {
		t.Run(child.name, quietly(func(t *testing.T) { f(t, child.name) }))
	}
}

func TestAChildThatFailsAtEveryStartHarmsNobodyElse(t *testing.T) {
	eachChild(t, func(t *testing.T, child string) {
		var broken atomic.Bool
		broken.Store(true)
		s := &saboteur{child: child, panics: func(message any) bool {
			_, started := message.(*actor.Started)
			return started && broken.Load()
		}}
		st := newTreeStage(t, func(d *Deps) { d.replace = s.replace })
		healthy, failing := st.put("healthy", nil), st.put("failing", nil)
		for range 120 {
			healthy.ns.send(10)
			if child != nsReaderName { // whose Network Server is not connected yet, and owes nothing
				failing.ns.send(10)
			}
			advance(time.Second)
			if s := st.status("healthy"); s.State != telemetry.Connected || s.Counters.Acknowledged != s.Counters.Received {
				t.Fatalf("the healthy connection is %+v", s)
			}
			assertFailing(t, st.status("failing"), child)
		}
		st.complete("healthy", 0)
		lives := s.lives()
		if n := len(lives); n < 10 || n > 13 {
			t.Errorf("%d lives in two minutes", n)
		}
		followsSchedule(t, lives)
		if n := st.deps.Metrics.Node.Restarts.Load(child); n != uint64(len(lives)) {
			t.Errorf("%d restarts counted, there were %d failures", n, len(lives))
		}
		if n := len(st.log.with("connection changed state")); n > 5 { // connecting and connected twice, backoff
			t.Errorf("%d changes of state logged", n)
		}
		broken.Store(false)
		advance(time.Minute)
		failing.ns.send(10)
		st.complete("failing", 0)
		if s := st.status("failing"); s.State != telemetry.Connected || s.Broker.LastError != "" || s.Source.LastError != "" {
			t.Errorf("the mended connection is %+v", s)
		}
	})
}

// assertFailing checks that a connection says which of its children fails, and of what.
func assertFailing(t *testing.T, s messages.Status, child string) {
	t.Helper()
	if s.State != telemetry.Backoff {
		t.Fatalf("the failing connection is %s: %+v", s.State, s)
	}
	said := s.Broker.LastError
	if child == nsReaderName {
		said = s.Source.LastError
		if s.Source.State != messages.SourceBackoff {
			t.Errorf("its source is %s", s.Source.State)
		}
	}
	if want := "actor " + child + " failed: out of order"; said != want {
		t.Fatalf("it says %q, want %q", said, want)
	}
}

func TestAChildThatFailsNowAndThenLosesNothing(t *testing.T) {
	eachChild(t, func(t *testing.T, child string) {
		var heard, failures atomic.Int64
		s := &saboteur{child: child, panics: func(message any) bool {
			switch message.(type) {
			case *actor.Started, *actor.Stopping, *actor.Stopped, *peers:
				return false
			}
			if heard.Add(1)%10 != 0 || failures.Load() == 3 {
				return false
			}
			failures.Add(1)
			return true
		}}
		st := newTreeStage(t, func(d *Deps) { d.replace = s.replace })
		healthy, e := st.put("healthy", nil), st.put("failing", nil)
		for range 600 {
			e.ns.send(7)
			healthy.ns.send(1)
			e.broker.current().events.Arrived("downstream", []byte(`{"type":"downlink_claim"}`))
			advance(5 * time.Millisecond)
		}
		st.complete("healthy", 0)
		advance(time.Minute)
		if failures.Load() < 3 {
			t.Fatalf("it failed %d times only", failures.Load())
		}
		repeats := 0
		if child == publisherName {
			repeats = 100 * int(failures.Load())
		}
		st.complete("failing", repeats)
		if sessions := len(e.broker.all()); child != publisherName && sessions != 1 {
			t.Errorf("%d MQTT sessions", sessions)
		}
		if streams := len(e.ns.all()); child != nsReaderName && streams != 1 {
			t.Errorf("%d sessions with the Network Server", streams)
		}
		if s := st.status("failing"); s.State != telemetry.Connected || s.Lag.Frames != 0 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestAGoroutineThatPanicsIsItsActorsFailure(t *testing.T) {
	for _, c := range []struct {
		child, point string
		sabotage     func(e *ends, point string)
	}{
		{publisherName, "connect", func(e *ends, p string) { e.broker.panicking(p) }},
		{publisherName, "publish", func(e *ends, p string) { e.broker.panicking(p) }},
		{subscriberName, "subscribe", func(e *ends, p string) { e.broker.panicking(p) }},
		{nsReaderName, "dial", func(e *ends, p string) { e.ns.panicking(p) }},
		{nsReaderName, "read", func(e *ends, p string) { e.ns.panicking(p) }},
	} {
		t.Run(c.point, quietly(func(t *testing.T) {
			st := newTreeStage(t, nil)
			e := st.put("failing", nil)
			e.ns.send(10)
			st.complete("failing", 0)
			c.sabotage(e, c.point)
			e.broker.current().events.Lost(errGone)
			e.ns.current().end(errGone)
			for range 60 {
				e.ns.send(1)
				advance(time.Second)
			}
			s := st.status("failing")
			said := s.Broker.LastError + s.Source.LastError
			if want := "actor " + c.child + " failed: the client library failed at " + c.point; said != want {
				t.Errorf("status %+v, want %q", s, want)
			}
			failures := st.log.with("actor failed")
			if len(failures) < 5 || !strings.Contains(failures[0]["stack"].(string), "panicking") && !strings.Contains(failures[0]["stack"].(string), "fake") {
				t.Errorf("%d failures logged, the first as %v", len(failures), failures[0])
			}
			c.sabotage(e, "")
			advance(2 * time.Minute)
			e.ns.send(10)
			st.complete("failing", 100)
			if s := st.status("failing"); s.State != telemetry.Connected || s.Broker.LastError != "" || s.Source.LastError != "" {
				t.Errorf("status %+v", s)
			}
		}))
	}
}

func TestAConnectionThatFailsIsStartedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := &saboteur{child: publisherName, panics: func(any) bool { return false }}
		st := newTreeStage(t, func(d *Deps) { d.replace = s.replace })
		e, healthy := st.put("failing", nil), st.put("healthy", nil)
		for i := range 5 {
			e.ns.send(50)
			healthy.ns.send(50)
			advance(time.Second)
			st.tree.system.Root.Send(s.parent, cursorDue{}) // of no keeper
			synctest.Wait()
			status := st.status("failing")
			if status.State != telemetry.Backoff || !strings.Contains(status.Broker.LastError, "nil pointer") || status.Broker.RetryAt == nil {
				t.Errorf("failure %d: status %+v", i, status)
			}
			e.ns.send(50)
			if st.status("healthy").State != telemetry.Connected {
				t.Error("the other connection is affected")
			}
			advance(10 * time.Second)
			if s := st.status("failing"); s.State != telemetry.Connected {
				t.Errorf("after failure %d: status %+v", i, s)
			}
		}
		st.complete("failing", 0)
		st.complete("healthy", 0)
		if n := st.deps.Metrics.Node.Restarts.Load("connection"); n != 5 {
			t.Errorf("%d restarts counted", n)
		}
	})
}

func TestANodeThatFailsSaysSo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		st.put("acme", nil)
		st.tree.system.Root.Send(st.tree.node, &messages.ListStatus{}) // asked by nobody
		synctest.Wait()
		select {
		case err := <-st.tree.Failed():
			if !strings.Contains(err.Error(), "the node failed: ") || !strings.Contains(err.Error(), "node.go") {
				t.Errorf("it says %q", err)
			}
		default:
			t.Error("nobody is told")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := st.tree.Stop(ctx, time.Second); err == nil || strings.Contains(err.Error(), "some work did not end") {
			t.Errorf("stopped: %v", err)
		}
		st.tree = nil
		advance(time.Second)
	})
}
