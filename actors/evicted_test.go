package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

// evictedStage is a tree whose buffer holds few frames of a connection.
func evictedStage(t *testing.T, frames uint64) (*treeStage, *ends) {
	t.Helper()
	st := newTreeStage(t, nil)
	st.stop(time.Second)
	st.bounds.MaxFramesPerConnection = frames
	st.start()
	e := st.put("acme", nil)
	e.ns.send(20)
	synctest.Wait()
	advance(10 * time.Minute)
	return st, e
}

// What the buffer's limits removed before it was delivered comes from the Network Server again. Of what was delivered
// before, no more is repeated than was sent within the margin before the last one: the buffer no longer knows it.
func TestEvictedFramesAreFetchedAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		bound uint64
		leave func(st *treeStage)
	}{
		{"in one process", 100, func(*treeStage) {}},
		{"of a tiny buffer", 7, func(*treeStage) {}},
		{"over a restart", 100, func(st *treeStage) { st.stop(time.Second); st.start(); st.put("acme", nil) }},
	} {
		t.Run(c.name, quietly(func(t *testing.T) {
			st, e := evictedStage(t, c.bound)
			e.broker.refusing(errGone)
			e.broker.current().events.Lost(errGone)
			for range 100 { // more than the newest that are kept in memory
				e.ns.send(30)
				advance(time.Second)
			}
			c.leave(st)
			e.broker.refusing(nil)
			advance(2 * time.Minute)
			e.ns.send(10)
			advance(10 * time.Minute)
			e.ns.send(10)
			synctest.Wait()
			if d := testkit.Verify(t, e.ns.sent(), e.broker.payloads()); d.Lost > 0 || d.Foreign > 0 || d.Repeated > 20 {
				t.Errorf("delivered %+v of %d, status %+v", d, len(e.ns.sent()), st.status("acme"))
			}
			s := st.status("acme")
			if len(s.Gaps) != 1 || s.Gaps[0].Reason != gapEvicted || s.Gaps[0].ClosedAt == nil || s.Source.State != messages.SourceStreaming {
				t.Errorf("status %+v", s)
			}
			if n := len(e.ns.all()); n > 10 {
				t.Errorf("%d sessions with the Network Server", n)
			}
			if n := st.deps.Metrics.Connection("acme").FramesEvicted.Total(); n == 0 {
				t.Error("no frame was counted as evicted")
			}
		}))
	}
}

// A replay that is through and not delivered yet is older than the floor says.
func TestWhatIsAskedForAfterAnEviction(t *testing.T) {
	at := func(number uint64, seconds float64) buffer.Cursor {
		return buffer.Cursor{Position: buffer.Position{Number: number}, Time: seconds}
	}
	m := missed{margin: time.Minute}
	m.begin(1000, false, 0, buffer.Source{}, 0)
	if from := m.since(5000); from != 4940 {
		t.Errorf("asks from %v", from)
	}
	m.evicted(at(100, 6000), 200) // newer than what is owed already
	if m.through(500) {
		t.Error("a replay is through although it does not bring what was evicted since")
	}
	if from := m.since(7000); from != 4940 || m.unasked() {
		t.Errorf("asks from %v", from)
	}
	if !m.through(500) || m.owes() != 0 {
		t.Error("the replay is not through")
	}
	m.evicted(at(300, 9000), 400) // some of the frames up to 500 came from the history since 4940
	if from := m.since(9500); from != 4940 {
		t.Errorf("asks from %v, but the replay before may not have been delivered", from)
	}
	if !m.through(900) {
		t.Error("the replay is not through")
	}
	m.delivered(900)
	m.evicted(at(900, 20_000), 950)
	if from := m.since(30_000); from != 19_940 {
		t.Errorf("asks from %v, want a margin before the floor", from)
	}
}
