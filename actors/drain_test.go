package actors

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/buffer"
)

// drainStage is a stage on which a connection has a whole window of frames unacknowledged, and more to send.
func drainStage(t *testing.T) (*treeStage, *ends) {
	st := newTreeStage(t, nil)
	st.at("acme").broker.acking = false
	e := st.put("acme", nil)
	e.ns.send(1000)
	synctest.Wait()
	return st, e
}

// acknowledge acknowledges what was published in the session, up to a number.
func (s *fakeSession) acknowledge(upTo uint64) {
	for _, n := range s.numbers() {
		if n <= upTo {
			s.events.Acknowledged(n << 1)
		}
	}
}

// stopping begins to stop the tree; the channel brings how long that took.
func (st *treeStage) stopping(grace time.Duration) <-chan time.Duration {
	took, began := make(chan time.Duration, 1), time.Now()
	go func() {
		st.stop(grace)
		took <- time.Since(began)
	}()
	synctest.Wait()
	return took
}

// cursor is what is stored as the cursor of a connection.
func (st *treeStage) cursor(id string) buffer.Cursor {
	st.t.Helper()
	c, _, err := st.deps.Cursors.Load(context.Background(), id)
	if err != nil {
		st.t.Fatal(err)
	}
	return c
}

func TestDrainWaitsForPubacks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st, e := drainStage(t)
		s := e.broker.current()
		took := st.stopping(10 * time.Second)
		e.ns.send(10)
		for _, upTo := range []uint64{1, 50, 99} {
			s.acknowledge(upTo)
			advance(200 * time.Millisecond)
			select {
			case <-took:
				t.Fatalf("the tree stopped with %d of 100 PUBACKs", upTo)
			default:
			}
		}
		s.acknowledge(100)
		if d := <-took; d > 2*time.Second { // and one for the actor system
			t.Errorf("it took %v", d)
		}
		if n := len(s.numbers()); n != 100 {
			t.Errorf("%d frames were published, 100 of them before the drain", n)
		}
		if !s.isClosed() {
			t.Error("the MQTT session was left open")
		}
		if c := st.cursor("acme"); c.Number != 100 {
			t.Errorf("the cursor is at %d", c.Number)
		}
	})
}

func TestDrainEndsAtItsDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st, e := drainStage(t)
		e.broker.current().acknowledge(37)
		took := st.stopping(500 * time.Millisecond) // less than the time of a PUBACK
		if d := <-took; d < 500*time.Millisecond || d > 2*time.Second {
			t.Errorf("it took %v", d)
		}
		if c := st.cursor("acme"); c.Number != 37 {
			t.Errorf("the cursor is at %d", c.Number)
		}
	})
}

// A PUBACK that does not come in its time ends the session, and there is nothing left to wait for.
func TestDrainEndsWithItsSession(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st, e := drainStage(t)
		e.broker.current().acknowledge(37)
		if d := <-st.stopping(time.Minute); d < time.Second || d > 3*time.Second {
			t.Errorf("it took %v", d)
		}
		if n := len(e.broker.tried()); n != 1 {
			t.Errorf("%d CONNECTs: there is nothing to be had of another session", n)
		}
		if c := st.cursor("acme"); c.Number != 37 {
			t.Errorf("the cursor is at %d", c.Number)
		}
	})
}

func TestDrainWithBothEndsAway(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st, e := drainStage(t)
		e.broker.current().acknowledge(37)
		e.broker.refusing(errGone)
		e.broker.current().events.Lost(errGone)
		e.ns.away()
		advance(10 * time.Second)
		if d := <-st.stopping(time.Minute); d > 2*time.Second {
			t.Errorf("it took %v", d)
		}
		if c := st.cursor("acme"); c.Number != 37 {
			t.Errorf("the cursor is at %d", c.Number)
		}
	})
}

func TestDrainWhileACursorCannotBeSaved(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st, e := drainStage(t)
		e.broker.current().acknowledge(100)
		synctest.Wait()
		st.store.change(func(f *faultyJetStream) { f.cursor = errors.New("disk full") })
		e.broker.current().acknowledge(200)
		took := st.stopping(5 * time.Second)
		advance(3 * time.Second)
		st.store.change(func(f *faultyJetStream) { f.cursor = nil })
		if d := <-took; d > 6*time.Second {
			t.Errorf("it took %v", d)
		}
		if c := st.cursor("acme"); c.Number != 200 {
			t.Errorf("the cursor is at %d", c.Number)
		}
	})
}

func TestDrainGivesACursorUpThatCannotBeSaved(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st, e := drainStage(t)
		e.broker.current().acknowledge(100)
		synctest.Wait()
		st.store.change(func(f *faultyJetStream) { f.cursor = errors.New("disk full") })
		e.broker.current().acknowledge(200)
		if d := <-st.stopping(5 * time.Second); d > 9*time.Second {
			t.Errorf("it took %v", d)
		}
		if n := len(st.log.with("the buffer fails")); n != 1 {
			t.Errorf("the failure was logged %d times", n)
		}
	})
}

// Where somebody else has taken the cursor over there is nothing to save.
func TestDrainOfAConnectionThatHasAnotherOwner(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st, e := drainStage(t)
		e.broker.current().acknowledge(50)
		synctest.Wait()
		cursor, revision, err := st.deps.Cursors.Load(t.Context(), "acme")
		if err != nil {
			t.Fatal(err)
		}
		cursor.Epoch++
		if _, err := st.deps.Cursors.Save(t.Context(), "acme", cursor, revision); err != nil {
			t.Fatal(err)
		}
		took := st.stopping(time.Minute)
		e.broker.current().acknowledge(100)
		if d := <-took; d > 3*time.Second {
			t.Errorf("it took %v", d)
		}
		if c := st.cursor("acme"); !reflect.DeepEqual(c, cursor) {
			t.Errorf("the other owner's cursor %+v became %+v", cursor, c)
		}
	})
}
