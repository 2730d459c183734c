package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/messages"
)

// stage is a publisher between a connection, a router and a subscriber of the test's, on a clock that the
// bubble of testing/synctest controls.
type stage struct {
	t      *testing.T
	system *actor.ActorSystem
	parent *actor.PID
	shared *shared
	broker *fakeBroker
	frames uint64 // frames that the router has to give

	children peers

	mu    sync.Mutex
	heard []any // by the connection
	after []uint64
}

// fakeBroker accepts or refuses sessions and keeps what is published.
type fakeBroker struct {
	mu       sync.Mutex
	start    time.Time
	refuse   error
	attempts []time.Duration // since start
	sessions []*fakeSession
}

type fakeSession struct {
	events    broker.Events
	mu        sync.Mutex
	published []broker.Message
	closed    bool
}

func (b *fakeBroker) connect(_ context.Context, _ broker.Options, events broker.Events) (BrokerSession, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.attempts = append(b.attempts, time.Since(b.start))
	if b.refuse != nil {
		return nil, b.refuse
	}
	s := &fakeSession{events: events}
	b.sessions = append(b.sessions, s)
	return s, nil
}

func (s *fakeSession) Publish(m broker.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = append(s.published, m)
	return nil
}

func (s *fakeSession) Subscribe(context.Context, string) error { return nil }

func (s *fakeSession) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

func (s *fakeSession) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// refusing has further attempts fail, or succeed if err is nil.
func (b *fakeBroker) refusing(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = err
}

// tried is when there were attempts.
func (b *fakeBroker) tried() []time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.attempts)
}

// advance moves the bubble's clock and waits until everything rests again.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// numbers are the frames published in this session.
func (s *fakeSession) numbers() (out []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.published {
		out = append(out, m.Seq)
	}
	return out
}

// newStage makes a stage on which the router has so many frames to give.
func newStage(t *testing.T, frames uint64, change func(*connection.Spec)) *stage {
	spec := connection.Defaults()
	spec.ID, spec.TopicUp, spec.URI = "acme", "lora/{type}", connection.NewURI("mqtt://127.0.0.1")
	if change != nil {
		change(&spec)
	}
	st := &stage{t: t, frames: frames, broker: &fakeBroker{start: time.Now()}}
	deps := &Deps{Metrics: telemetry.NewMetrics("test", ""), Log: zerolog.Nop(), Running: &sync.WaitGroup{}, ConnectBroker: st.broker.connect}
	deps.complete()
	var err error
	if st.shared, err = plan(spec, deps); err != nil {
		t.Fatal(err)
	}
	st.shared.frames = &buffer.Log{}
	st.system = newSystem(zerolog.Nop())
	st.parent = st.system.Root.Spawn(actor.PropsFromFunc(st.connection))
	t.Cleanup(func() {
		if err := st.system.Root.StopFuture(st.parent).Wait(); err != nil {
			t.Error(err)
		}
		deps.Running.Wait()
		st.system.Shutdown()
	})
	return st
}

// connection plays the publisher's parent: it starts the three and notes what it hears.
func (st *stage) connection(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		st.children = peers{
			topicRouter: ctx.Spawn(actor.PropsFromFunc(st.router)),
			subscriber:  ctx.Spawn(actor.PropsFromFunc(func(actor.Context) {})),
			publisher:   ctx.Spawn(actor.PropsFromProducer(func() actor.Actor { return newPublisher(st.shared) })),
		}
		ctx.Send(st.children.publisher, &st.children)
	case *messages.BrokerChanged, *messages.FloorMoved, *messages.Drained:
		st.mu.Lock()
		st.heard = append(st.heard, m)
		st.mu.Unlock()
	}
}

// router plays the topic-router: it gives frames as far as there is credit, in batches of seven.
func (st *stage) router(ctx actor.Context) {
	st.mu.Lock()
	defer st.mu.Unlock()
	give := func(run uint64, credit int) {
		for credit > 0 && st.after[run] < st.frames {
			n := min(7, credit, int(st.frames-st.after[run]))
			m := &messages.FramesRouted{Run: run, Batch: buffer.Batch{First: st.after[run] + 1, Seq: st.after[run] + 1}}
			for range n {
				m.Batch.Frames = append(m.Batch.Frames, dataapi.Frame{Raw: []byte("{}"), Received: time.Now()})
				m.Topics = append(m.Topics, "lora")
			}
			st.after[run] += uint64(n)
			credit -= n
			ctx.Send(st.children.publisher, m)
		}
	}
	switch m := ctx.Message().(type) {
	case *messages.StartDelivery:
		for uint64(len(st.after)) <= m.Run {
			st.after = append(st.after, 0)
		}
		st.after[m.Run] = m.After.Number
		give(m.Run, m.Credit)
	case *messages.GrantCredit:
		give(m.Run, m.Frames)
	}
}

// session waits until everything rests and returns the n-th session, from 0.
func (st *stage) session(n int) *fakeSession {
	st.t.Helper()
	synctest.Wait()
	st.broker.mu.Lock()
	defer st.broker.mu.Unlock()
	if len(st.broker.sessions) <= n {
		st.t.Fatalf("%d sessions, want more than %d", len(st.broker.sessions), n)
	}
	return st.broker.sessions[n]
}

func quietly(f func(t *testing.T)) func(t *testing.T) {
	return func(t *testing.T) { synctest.Test(t, f) }
}

// ascending checks that numbers run from first without a gap.
func ascending(t *testing.T, numbers []uint64, first uint64) {
	t.Helper()
	for i, n := range numbers {
		if n != first+uint64(i) {
			t.Fatalf("frame %d was published in place %d of a run that begins with %d: %v", n, i, first, numbers)
		}
	}
}

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
					s.events.Acknowledged(published[i])
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
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, 300, nil)
		first := st.session(0)
		for n := uint64(1); n <= 10; n++ {
			if n != 4 && n != 7 {
				first.events.Acknowledged(n)
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
	synctest.Test(t, func(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
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
			s.events.Acknowledged(n)
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
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, 1000, func(s *connection.Spec) { s.MQTT.MaxRate = 20 })
		s := st.session(0)
		acked := 0
		for range 100 { // ten seconds
			for _, n := range s.numbers()[acked:] {
				s.events.Acknowledged(n)
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
