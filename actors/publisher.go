package actors

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"golang.org/x/time/rate"

	"github.com/lorry-mqtt/lorry/internal/backoff"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/messages"
)

// errAckTimeout ends a session in which a PUBACK did not come in time.
var errAckTimeout = errors.New("no PUBACK in time")

// lookahead is how many windows of routed frames wait in the publisher, so that a PUBACK can be answered by the
// next publish without a round through the tree.
const lookahead = 2

// publisher owns the connection's MQTT session. It publishes the frames behind the acknowledged floor in order,
// at most a window of them unacknowledged, and when a session ends it begins another after a pause, with
// everything from the floor on. A frame that no session survives is parked (publisher_doubt.go).
type publisher struct {
	*shared
	life  *incarnation
	peers peers

	main, aside *lane
	overtaking  []routed // single frames of the log that go first
	settled     []uint64 // frames of the log above the floor that need not be published, as of the last change
	parking     *parked  // the frame that is being parked; nil: none

	backoff  *backoff.Backoff
	session  *session // the attempt or session under way; nil in backoff and when draining is done
	deadline *time.Timer
	limit    *rate.Limiter // nil: no mqtt.max_rate
	throttle *time.Timer   // runs while the rate holds frames back

	run      uint64 // of the delivery that the router was asked for
	owed     int    // credit to be granted
	crowd    member // with what the publisher takes of what all of them may have in flight
	draining bool
}

// Reports of the publisher's timers.
type (
	reconnect    struct{}
	ackDeadline  struct{ session *session }
	rateReleased struct{}
	placeHeld    struct{} // among what the node's publishers may have in flight
)

func newPublisher(s *shared) actor.Actor {
	floor := s.floor.load()
	p := &publisher{
		shared:  s,
		main:    newLane(0, s.frames.Last, s.spec.MQTT, floor.Number, floor.Settled),
		aside:   newLane(1, s.framesAside.Last, s.spec.MQTT, floor.Aside.Number, nil),
		settled: floor.Settled,
		backoff: backoff.NoSooner(s.broker.URI.MinConnectInterval()),
		crowd:   member{crowd: s.Deps.crowd},
	}
	if perSecond := s.spec.MQTT.MaxRate; perSecond > 0 {
		p.limit = rate.NewLimiter(rate.Limit(perSecond), max(1, perSecond/10))
	}
	return p
}

// lanes are both, the log first.
func (p *publisher) lanes() [2]*lane { return [2]*lane{p.main, p.aside} }

// laneOf is the inverse of lane.ticket.
func (p *publisher) laneOf(ticket uint64) (l *lane, number uint64) {
	return p.lanes()[ticket&1], ticket >> 1
}

// Receive implements actor.Actor.
func (p *publisher) Receive(ctx actor.Context) {
	defer withStack()
	switch m := p.life.open(ctx.Message()).(type) {
	case *actor.Started:
		p.started(ctx)
	case reconnect:
		p.attempt(ctx)
	case sessionOpened:
		p.opened(ctx, m)
	case sessionEnded:
		p.ended(ctx, m.session, m.err)
	case publishesMoved:
		p.moved(ctx, m.session)
	case ackDeadline:
		p.checkDeadline(ctx, m.session)
	case rateReleased:
		p.throttle = nil
		p.publish(ctx)
	case placeHeld:
		p.publish(ctx)
	case *messages.FramesRouted:
		p.routed(ctx, m)
	case *parked:
		p.hasParked(ctx, m)
	case *messages.BufferChanged:
		ctx.Send(ctx.Parent(), m)
	case *messages.DownlinkArrived:
		send(ctx, p.peers.subscriber, m)
	case *peers:
		p.meet(ctx, *m)
	case *messages.Drain:
		p.drain(ctx)
	case *actor.Stopping:
		p.crowd.note(0, false)
		p.life.end()
	}
}

func (p *publisher) started(ctx actor.Context) {
	p.life = newIncarnation(ctx, p.Running)
	p.crowd.wake = func() { p.life.tell(placeHeld{}) }
	p.noteInFlight()
	p.attempt(ctx)
}

// meet takes note of the other children. One that is new knows of no session.
func (p *publisher) meet(ctx actor.Context, now peers) {
	before := p.peers
	p.peers = now
	if !p.isOpen() {
		return
	}
	if now.topicRouter != nil && !now.topicRouter.Equal(before.topicRouter) {
		p.startDelivery(ctx, p.main.received, p.aside.received)
	}
	if now.subscriber != nil && !now.subscriber.Equal(before.subscriber) {
		ctx.Send(now.subscriber, &messages.SessionOpened{Session: p.session.broker})
	}
}

// attempt begins a session: one dial, one CONNECT.
func (p *publisher) attempt(ctx actor.Context) {
	if p.draining {
		return
	}
	ctx.Request(ctx.Parent(), &messages.BrokerChanged{State: telemetry.Connecting, Attempt: p.backoff.Attempt()})
	p.connect()
}

func (p *publisher) isOpen() bool { return p.session != nil && p.session.broker != nil }

func (p *publisher) opened(ctx actor.Context, m sessionOpened) {
	if m.session != p.session {
		return
	}
	p.session.broker, p.session.opened = m.broker, time.Now()
	ctx.Request(ctx.Parent(), &messages.BrokerChanged{State: telemetry.Connected}) // before what the subscriber says of it
	send(ctx, p.peers.subscriber, &messages.SessionOpened{Session: m.broker})
	floor := p.floor.load()
	p.startDelivery(ctx, floor.Position, floor.Aside)
}

// startDelivery asks the router for everything behind a position in each lane, on a run of its own.
func (p *publisher) startDelivery(ctx actor.Context, after, aside buffer.Position) {
	if !p.isOpen() || p.draining {
		return
	}
	p.run++
	p.main.received, p.aside.received, p.owed = after, aside, 0
	room := p.spec.MQTT.MaxInflight*(1+lookahead) - p.main.waiting() - p.aside.waiting()
	send(ctx, p.peers.topicRouter, &messages.StartDelivery{Run: p.run, After: after, Aside: aside, Credit: max(1, room)})
}

func (p *publisher) routed(ctx actor.Context, m *messages.FramesRouted) {
	if m.Run != p.run || !p.isOpen() || p.draining {
		return
	}
	switch m.Lane {
	case messages.LaneMain:
		p.main.take(m)
	case messages.LaneAside:
		p.aside.take(m)
	case messages.LaneAhead:
		p.overtaking = append(p.overtaking, routed{m.Batch, m.Topics})
	}
	p.publish(ctx)
}

// moved takes what happened to the publishes: the floor rises, room is made, the next ones go out.
func (p *publisher) moved(ctx actor.Context, s *session) {
	if s != p.session {
		return
	}
	p.settle(ctx, s)
	p.armDeadline(s)
	if p.draining {
		p.drained(ctx)
		return
	}
	p.publish(ctx)
}

// ended closes the books of a session or attempt and schedules the next.
func (p *publisher) ended(ctx actor.Context, s *session, err error) {
	if s != p.session {
		return
	}
	p.settle(ctx, s)
	up := time.Duration(0)
	if p.isOpen() {
		up = time.Since(s.opened)
		send(ctx, p.peers.subscriber, &messages.SessionClosed{Session: s.broker})
		send(ctx, p.peers.topicRouter, &messages.StopDelivery{Run: p.run})
	}
	p.forget(err)
	if p.deadline != nil {
		p.deadline.Stop()
		p.deadline = nil
	}
	if p.draining {
		p.drained(ctx)
		return
	}
	delay := p.backoff.Failed(up)
	p.counters.BrokerReconnects.Add(brokerCause(err), 1)
	ctx.Request(ctx.Parent(), &messages.BrokerChanged{
		State: telemetry.Backoff, Attempt: p.backoff.Attempt(), RetryAt: time.Now().Add(delay), Err: err,
	})
	p.life.after(delay, reconnect{})
}

// forget has nothing in flight any more, and a frame parked that the session ended of.
func (p *publisher) forget(err error) {
	for _, l := range p.lanes() {
		if l.sessionEnded() && p.parking == nil {
			p.park(l, err)
		}
		l.restart()
	}
	p.settled = p.main.window.Settled()
	p.session.cancel()
	p.session, p.overtaking = nil, nil
	p.noteInFlight()
}

// drain publishes nothing more and waits for what is in flight.
func (p *publisher) drain(ctx actor.Context) {
	p.draining = true
	p.main.pending, p.aside.pending, p.overtaking = nil, nil, nil
	send(ctx, p.peers.topicRouter, &messages.StopDelivery{Run: p.run})
	if p.session != nil && !p.isOpen() {
		p.session.cancel()
		p.session = nil
	}
	p.drained(ctx)
}

// drained answers a drain once nothing is in flight.
func (p *publisher) drained(ctx actor.Context) {
	if p.inFlight() == 0 {
		ctx.Send(ctx.Parent(), &messages.Drained{Child: publisherName})
	}
}
