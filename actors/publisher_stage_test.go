package actors

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

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

// newStage makes a stage on which the router has so many frames to give.
func newStage(t *testing.T, frames uint64, change func(*connection.Spec)) *stage {
	spec := connection.Defaults()
	spec.ID, spec.TopicUp, spec.URI = "acme", "lora/{type}", connection.NewURI("mqtt://127.0.0.1")
	if change != nil {
		change(&spec)
	}
	st := &stage{t: t, frames: frames, broker: newFakeBroker()}
	deps := &Deps{Metrics: telemetry.NewMetrics("test", ""), Log: zerolog.Nop(), Running: &sync.WaitGroup{}, ConnectBroker: st.broker.connect}
	deps.complete()
	var err error
	if st.shared, err = plan(spec, deps); err != nil {
		t.Fatal(err)
	}
	st.shared.books = &books{frames: &buffer.Log{}}
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

// ascending checks that numbers run from first without a gap.
func ascending(t *testing.T, numbers []uint64, first uint64) {
	t.Helper()
	for i, n := range numbers {
		if n != first+uint64(i) {
			t.Fatalf("frame %d was published in place %d of a run that begins with %d: %v", n, i, first, numbers)
		}
	}
}
