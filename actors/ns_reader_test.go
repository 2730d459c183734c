package actors

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

func TestReaderFollowsTheSchedule(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		advance(5 * time.Second) // lasting, so that its end is a first failure
		e.ns.away()
		before := time.Since(e.ns.start)
		advance(10 * time.Minute)
		dialled := e.ns.dialled()
		want := 100 * time.Millisecond
		for _, at := range dialled[1:] {
			if waited := at - before; waited < want || waited > min(want*11/10, time.Minute) {
				t.Errorf("a dial came after %v, want %v and up to a tenth more", waited, want)
			}
			before, want = at, min(want*2, time.Minute)
		}
		if n := len(dialled); n < 18 || n > 20 {
			t.Errorf("%d dials in ten minutes", n)
		}
		s := st.status("acme")
		if s.State != telemetry.Connected || s.Source.State != messages.SourceBackoff || s.Source.LastError != "refused" {
			t.Errorf("status %+v", s)
		}
		if n := len(st.log.with("no session with the Network Server")); n != 2 { // gone, then refused
			t.Errorf("%d errors logged", n)
		}
		e.ns.back()
		advance(time.Minute)
		if s := st.status("acme"); s.Source.State != messages.SourceStreaming && s.Source.State != messages.SourceReplaying || s.Source.LastError != "" {
			t.Errorf("status %+v", s)
		}
	})
}

func TestReaderAsksForWhatItMissed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		if from := e.ns.current().options.From; !from.IsZero() {
			t.Errorf("a connection that begins asks for history from %v", from)
		}
		e.ns.send(100)
		synctest.Wait()
		newest := time.Now()
		advance(time.Hour)
		e.ns.away()
		for range 10 {
			e.ns.send(30)
			advance(time.Minute)
		}
		e.ns.back()
		advance(time.Minute)
		if from, want := e.ns.current().options.From, newest.Add(-time.Minute); !from.Equal(want) {
			t.Errorf("it asks for history from %v, want %v", from, want)
		}
		if s := st.status("acme").Source.State; s != messages.SourceReplaying {
			t.Errorf("the source is %s", s)
		}
		e.ns.send(5)
		st.complete("acme", 0)
		advance(3 * time.Minute)
		e.ns.send(5)
		st.complete("acme", 0)
		if s := st.status("acme"); s.Source.State != messages.SourceStreaming || s.Counters.Duplicates != 100 {
			t.Errorf("status %+v", s)
		}
	})
}

// A replay that is cut short is asked for again, although frames that are newer have come meanwhile.
func TestReaderAsksForTheRestOfAReplay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		e.ns.send(10)
		synctest.Wait()
		e.ns.away()
		for range 60 {
			e.ns.send(10)
			advance(time.Minute)
		}
		e.ns.change(func(n *fakeNS) { n.holding = true })
		for range 3 {
			e.ns.back()
			advance(time.Minute)
			e.ns.send(10)
			e.ns.current().replay(150)
			advance(time.Second)
			e.ns.away()
		}
		e.ns.change(func(n *fakeNS) { n.holding = false })
		e.ns.back()
		advance(time.Minute)
		st.completeInAnyOrder("acme")
	})
}

// What is sent while there is no session is owed even if nothing has come before.
func TestReaderOwesFramesBeforeTheFirst(t *testing.T) {
	for _, c := range []struct {
		name  string
		leave func(st *treeStage)
	}{
		{"in one process", func(*treeStage) {}},
		{"over a restart", func(st *treeStage) { st.stop(time.Second); st.start(); st.put("acme", nil) }},
		{"over a replacement", func(st *treeStage) { st.put("acme", nil) }},
	} {
		t.Run(c.name, quietly(func(t *testing.T) {
			st := newTreeStage(t, nil)
			e := st.put("acme", nil)
			advance(time.Hour)
			e.ns.away()
			e.ns.send(10)
			c.leave(st)
			advance(time.Minute)
			e.ns.send(10)
			e.ns.back()
			advance(time.Minute)
			st.complete("acme", 0)
		}))
	}
}

// After an absence so long that the buffer's limits have removed everything, the cursor says what was missed.
func TestReaderAsksFromTheCursorWhenTheBufferIsEmpty(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		st.stop(time.Second)
		st.bounds.MaxAge = time.Hour
		st.start()
		e := st.put("acme", nil)
		e.ns.send(10)
		synctest.Wait()
		newest := time.Now()
		advance(10 * time.Second)
		st.stop(time.Second)
		advance(24 * time.Hour)
		e.ns.send(10)
		advance(2 * time.Hour)
		st.start()
		st.put("acme", nil)
		advance(time.Second)
		if from, want := e.ns.current().options.From, newest.Add(-time.Minute); !from.Equal(want) {
			t.Errorf("it asks for history from %v, want %v", from, want)
		}
		if d := testkit.Verify(t, e.ns.sent(), e.broker.payloads()); d.Lost > 0 {
			t.Errorf("delivered %+v", d)
		}
	})
}

// Two messages that differ in nothing but when they come are two messages, unless a replay may have repeated one.
func TestReaderKeepsEqualFrames(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		frame := frameOf([]byte(`{"type":"error","meta":{"time":1.5},"params":{"message":"same"}}`))
		for range 3 {
			e.ns.current().bring([]dataapi.Frame{frame})
		}
		synctest.Wait()
		if n := len(e.broker.payloads()); n != 3 {
			t.Errorf("%d frames were delivered, want 3", n)
		}
	})
}

func TestReaderStoresBeforeAnythingIsPublished(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		e.ns.send(10)
		st.complete("acme", 0)
		st.store.failing(errors.New("disk full"))
		writes := st.store.count()
		for range 60 {
			e.ns.send(10)
			advance(time.Second)
		}
		if n := len(e.broker.payloads()); n != 10 {
			t.Errorf("%d frames were published, %d are stored", n, 10)
		}
		s := st.status("acme")
		if want := "store 10 frames from number 11: disk full"; s.Source.LastError != want || s.State != telemetry.Connected {
			t.Errorf("status %+v, want the error %q", s, want)
		}
		if n := st.store.count() - writes; n < 8 || n > 12 {
			t.Errorf("%d attempts to store in a minute", n)
		}
		if n := len(st.log.with("the buffer fails")); n != 1 {
			t.Errorf("the failure was logged %d times", n)
		}
		st.store.failing(nil)
		advance(time.Minute)
		st.complete("acme", 0)
		if s := st.status("acme"); s.Source.LastError != "" || s.Lag.Frames != 0 {
			t.Errorf("status %+v", s)
		}
		if n := len(st.log.with("the buffer works again")); n != 1 {
			t.Errorf("its end was logged %d times", n)
		}
		if n := len(e.ns.all()); n != 1 {
			t.Errorf("%d sessions with the Network Server", n)
		}
	})
}

// A reader that fails while the buffer does leaves no trace of that behind.
func TestReaderThatFailsForgetsTheBuffersFailure(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		st.store.failing(errors.New("disk full"))
		e.ns.send(10)
		advance(time.Second)
		e.ns.panicking("read")
		e.ns.current().end(errGone)
		st.store.failing(nil)
		advance(time.Minute)
		e.ns.panicking("")
		advance(time.Minute)
		e.ns.send(10)
		st.complete("acme", 0)
		if s := st.status("acme"); s.Source.LastError != "" {
			t.Errorf("status %+v", s)
		}
		st.store.failing(errors.New("disk full"))
		e.ns.send(10)
		advance(time.Second)
		if n := len(st.log.with("the buffer fails")); n != 2 {
			t.Errorf("two failures were logged %d times", n)
		}
		st.store.failing(nil)
	})
}

// completeInAnyOrder checks that a connection has delivered everything, each frame once.
func (st *treeStage) completeInAnyOrder(id string) {
	st.t.Helper()
	synctest.Wait()
	e := st.at(id)
	if d := testkit.Verify(st.t, e.ns.sent(), e.broker.payloads()); d.Lost > 0 || d.Repeated > 0 || d.Foreign > 0 {
		st.t.Errorf("connection %s delivered %+v of %d", id, d, len(e.ns.sent()))
	}
}
