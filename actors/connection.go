package actors

import (
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/backoff"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/messages"
)

// tick is how often a connection is looked at (watch.go), and the least time between two writes of its cursor.
const tick = time.Second

// cursorGrace is how long the last write of a cursor may take when a drain has run out of time.
const cursorGrace = 2 * time.Second

// connectionActor is one configured route: it opens the route's buffer and cursor, supervises the four children
// that do the work, knows what state they are in, and saves the cursor.
type connectionActor struct {
	supervisor
	deps   *Deps
	spec   connection.Spec
	paused bool
	life   *incarnation
	shared *shared // nil until the buffer is open
	state  *state
	cursor *cursorKeeper

	replaying *replay // under way; nil: none

	unrecorded int // records of evicted frames that are being written
	// passed is the floor as the publisher reported it. The topic-router reports a hole before it hands on what is
	// behind it, so that at a report of evicted frames this is still before them; shared.floor may be past them.
	passed buffer.Cursor
	held   *buffer.Cursor // where the cursor moves when they are; nil: it does not

	opening  *backoff.Backoff
	openedAt time.Time
	closing  bool // the children are being stopped, to open everything anew
	draining bool
	drained  map[string]bool
}

// childActors says what a connection consists of, in the order in which it is started.
var childActors = []struct {
	name string
	make func(*shared) actor.Actor
}{
	{topicRouterName, newTopicRouter},
	{publisherName, newPublisher},
	{subscriberName, newSubscriber},
	{nsReaderName, newNSReader},
}

// Reports of the connection's goroutines and timers.
type (
	reopen            struct{}
	messagesDiscarded struct{} // since the last one
	drainIsOver       struct{} // PUBACKs are not waited for any longer
	stopNow           struct{} // neither is the cursor
)

func newConnection(put *messages.PutConnection, deps *Deps) actor.Actor {
	spec := put.Spec
	log := deps.Log.With().Str("connection", spec.ID).Logger()
	return &connectionActor{
		supervisor: newSupervisor(log, &deps.Metrics.Node.Restarts),
		deps:       deps,
		spec:       spec,
		paused:     put.Paused,
		state:      newState(spec, deps, log),
		opening:    backoff.New(),
		drained:    map[string]bool{},
	}
}

// Receive implements actor.Actor.
func (c *connectionActor) Receive(ctx actor.Context) {
	defer withStack()
	switch m := c.life.open(ctx.Message()).(type) {
	case *actor.Started:
		c.started(ctx)
	case reopen:
		c.openResources()
	case resourcesOpened:
		c.opened(ctx, m)
	case startChild:
		c.startAgain(ctx, m.name)
	case *actor.Touched:
		c.childStarted(m.Who)
	case *actor.Terminated:
		c.childTerminated(ctx, m)
	case *messages.BrokerChanged, *messages.SubscriptionChanged, *messages.SourceChanged, *messages.BufferChanged,
		*messages.GapsChanged, *messages.HistoryChanged, *messages.FrameParked:
		c.told(ctx, m)
	case *messages.FramesEvicted:
		c.framesEvicted(ctx, m)
	case missedRecorded:
		c.missedWasRecorded(m)
	case *messages.FloorMoved:
		c.floorMoved(m)
	case *messages.ResendParked, *messages.ReplayFrames, replayCounted, replayStored, *messages.UpdateConnection, exchangeIsOver:
		c.requested(ctx, m)
	case cursorDue:
		m.keeper.due(c.life)
	case cursorSaved:
		c.cursorSaved(ctx, m)
	case *messages.BufferFenced:
		c.reset(ctx, m.Err)
	case messagesDiscarded:
		c.state.tellDiscards()
	case *messages.GetStatus:
		ctx.Respond(c.status())
	case *messages.Drain:
		c.drain(ctx, m)
	case *messages.Drained:
		if !c.finished(ctx, m.Child) {
			c.drained[m.Child] = true
			c.drainStep(ctx)
		}
	case drainIsOver:
		c.drained[nsReaderName], c.drained[publisherName] = true, true
		c.drainStep(ctx)
		c.life.after(cursorGrace, stopNow{})
	case stopNow:
		ctx.Stop(ctx.Self())
	case *actor.Stopping:
		c.ending = true
		c.state.stopped()
		c.life.end()
	}
}

// told takes note of what a child says of its condition. The news that it has ended overtakes what it said before that:
// this comes from nobody who runs, and is out of date.
func (c *connectionActor) told(ctx actor.Context, message any) {
	if from := ctx.Sender(); from != nil {
		if name, _ := c.find(from); name == "" {
			return
		}
	}
	switch m := message.(type) {
	case *messages.BrokerChanged:
		c.state.brokerChanged(m)
	case *messages.SubscriptionChanged:
		c.state.subscriptionChanged(m, c.spec.TopicDown)
	case *messages.SourceChanged:
		c.state.sourceChanged(m)
	case *messages.BufferChanged:
		c.state.bufferChanged(m)
	case *messages.GapsChanged:
		c.state.gapsChanged(m)
	case *messages.HistoryChanged:
		c.state.historyChanged(m)
	case *messages.FrameParked:
		c.state.frameParked(m)
	}
}

// requested does what somebody asked for, step by step.
func (c *connectionActor) requested(ctx actor.Context, message any) {
	switch m := message.(type) {
	case *messages.UpdateConnection:
		c.update(ctx, m.Spec)
	case exchangeIsOver:
		c.giveUp(ctx, m)
	case *messages.ResendParked:
		c.passOn(ctx, c.pid(topicRouterName), m)
	case *messages.ReplayFrames:
		c.replay(ctx, m)
	case replayCounted:
		m.replay.frames = m.frames
	case replayStored:
		c.replayStored(m)
	}
}

func (c *connectionActor) started(ctx actor.Context) {
	c.life = newIncarnation(ctx, c.deps.Running)
	if !c.spec.Enabled {
		c.state.set(telemetry.Stopped, nil)
		return
	}
	if _, err := plan(c.spec, c.deps); err != nil {
		c.state.set(telemetry.Misconfigured, err)
		return
	}
	c.resume()
	c.openResources()
}

// introduce tells all children who the others are.
func (c *connectionActor) introduce(ctx actor.Context) {
	present := &peers{
		nsReader: c.pid(nsReaderName), topicRouter: c.pid(topicRouterName),
		publisher: c.pid(publisherName), subscriber: c.pid(subscriberName),
	}
	for _, child := range childActors {
		send(ctx, c.pid(child.name), present)
	}
}

// reset stops the children and opens everything anew after a pause: somebody else has written what is this
// connection's alone.
func (c *connectionActor) reset(ctx actor.Context, err error) {
	if c.closing || c.draining {
		return
	}
	c.closing = true
	c.state.set(telemetry.Backoff, err)
	for _, child := range childActors {
		c.stop(ctx, child.name)
	}
	c.closed()
}

// closed goes on with a reset once no child is left.
func (c *connectionActor) closed() {
	if c.closing && len(c.children) == 0 {
		c.closing = false
		c.life.after(c.opening.Failed(time.Since(c.openedAt)), reopen{})
	}
}

// cursorSaved goes on after a write of the cursor. A stale one means another owner.
func (c *connectionActor) cursorSaved(ctx actor.Context, m cursorSaved) {
	if m.keeper != c.cursor {
		return
	}
	c.state.bufferChanged(&messages.BufferChanged{Child: "cursor", Err: m.err})
	switch stale := errors.Is(m.err, buffer.ErrStale); {
	case stale && c.draining: // there is nothing left to save
		ctx.Stop(ctx.Self())
		return
	case stale:
		c.reset(ctx, m.err)
		return
	}
	c.cursor.saved(c.life, m)
	if m.err == nil {
		c.drainStep(ctx)
	}
}

// startAgain starts a child that has failed, and asks it for a sign of life: one that fails as it starts gives
// none.
func (c *connectionActor) startAgain(ctx actor.Context, name string) {
	c.spawn(ctx, name)
	c.introduce(ctx)
	if pid := c.pid(name); pid != nil {
		ctx.Request(pid, &actor.Touch{})
	}
}

// childStarted goes on with the connection's state as its ends have it.
func (c *connectionActor) childStarted(pid *actor.PID) {
	if name, _ := c.find(pid); name != "" {
		c.state.childStarted(name)
	}
}

// childTerminated has a child that failed started again, and shows why it is away.
func (c *connectionActor) childTerminated(ctx actor.Context, m *actor.Terminated) {
	name, failure := c.terminated(c.life, m.Who)
	c.closed()
	c.introduce(ctx)
	c.drainStep(ctx)
	if failure == nil {
		return
	}
	c.state.childFailed(name, c.children[name], errors.New("actor "+name+" failed: "+failureText(failure)))
}

// passOn gives a command to a child, which answers the sender; if the child does not run, the connection does.
func (c *connectionActor) passOn(ctx actor.Context, child *actor.PID, command any) {
	if child == nil || c.draining {
		ctx.Respond(&messages.Done{Err: fmt.Errorf("connection %s: %w", c.spec.ID, ErrNotRunning)})
		return
	}
	ctx.RequestWithCustomSender(child, command, ctx.Sender())
}
