package actors

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"golang.org/x/time/rate"

	"github.com/lorry-mqtt/lorry/internal/backoff"
	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/internal/window"
	"github.com/lorry-mqtt/lorry/messages"
)

// errAckTimeout ends a session in which a PUBACK did not come in time.
var errAckTimeout = errors.New("no PUBACK in time")

// lookahead is how many windows of routed frames wait in the publisher, so that a PUBACK can be answered by the
// next publish without a round through the tree.
const lookahead = 2

// publisher owns the connection's MQTT session. It publishes the frames behind the acknowledged floor in order,
// at most a window of them unacknowledged, and when a session ends it begins another after a pause, with
// everything from the floor on.
type publisher struct {
	*shared
	life  *incarnation
	peers peers

	window   *window.Window
	backoff  *backoff.Backoff
	session  *session // the attempt or session under way; nil in backoff and when draining is done
	deadline *time.Timer
	limit    *rate.Limiter // nil: no mqtt.max_rate
	throttle *time.Timer   // runs while the rate holds frames back

	run      uint64          // of the delivery that the router was asked for
	received buffer.Position // the last frame that came in this run
	pending  []routed        // frames not in the window yet
	sent     []buffer.Batch  // frames in the window, for what the cursor says of them
	owed     int             // credit to be granted
	highest  uint64          // the highest frame ever published
	draining bool
}

// routed is what is left of a FramesRouted.
type routed struct {
	batch  buffer.Batch
	topics []string
}

// Reports of the publisher's timers.
type (
	reconnect    struct{}
	ackDeadline  struct{ session *session }
	rateReleased struct{}
)

func newPublisher(s *shared) actor.Actor {
	p := &publisher{
		shared:  s,
		window:  window.New(s.spec.MQTT.MaxInflight, time.Duration(s.spec.MQTT.AckTimeout), s.floor.load().Number),
		backoff: backoff.New(),
		highest: s.floor.load().Number,
	}
	if perSecond := s.spec.MQTT.MaxRate; perSecond > 0 {
		p.limit = rate.NewLimiter(rate.Limit(perSecond), max(1, perSecond/10))
	}
	return p
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
	case *messages.FramesRouted:
		p.routed(ctx, m)
	case *messages.DownlinkArrived:
		send(ctx, p.peers.subscriber, m)
	case *peers:
		p.meet(ctx, *m)
	case *messages.Drain:
		p.drain(ctx)
	case *actor.Stopping:
		p.life.end()
	}
}

func (p *publisher) started(ctx actor.Context) {
	p.life = newIncarnation(ctx, p.Running)
	p.counters.InFlight.Store(0)
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
		p.startDelivery(ctx, p.received)
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
	ctx.Send(ctx.Parent(), &messages.BrokerChanged{State: telemetry.Connecting, Attempt: p.backoff.Attempt()})
	p.connect()
}

func (p *publisher) isOpen() bool { return p.session != nil && p.session.broker != nil }

func (p *publisher) opened(ctx actor.Context, m sessionOpened) {
	if m.session != p.session {
		return
	}
	p.session.broker, p.session.opened = m.broker, time.Now()
	ctx.Send(ctx.Parent(), &messages.BrokerChanged{State: telemetry.Connected}) // before what the subscriber says of it
	send(ctx, p.peers.subscriber, &messages.SessionOpened{Session: m.broker})
	p.startDelivery(ctx, p.floor.load().Position)
}

// startDelivery asks the router for everything behind a position, on a run of its own.
func (p *publisher) startDelivery(ctx actor.Context, after buffer.Position) {
	if !p.isOpen() || p.draining {
		return
	}
	p.run++
	p.received, p.owed = after, 0
	waiting := 0
	for _, r := range p.pending {
		waiting += len(r.topics)
	}
	room := p.spec.MQTT.MaxInflight * (1 + lookahead)
	send(ctx, p.peers.topicRouter, &messages.StartDelivery{Run: p.run, After: after, Credit: max(1, room-waiting)})
}

func (p *publisher) routed(ctx actor.Context, m *messages.FramesRouted) {
	if m.Run != p.run || !p.isOpen() || p.draining {
		return
	}
	p.received = m.Batch.At(m.Batch.Last())
	p.pending = append(p.pending, routed{m.Batch, m.Topics})
	p.publish(ctx)
}

// publish moves frames from pending into the window, as many as there is room for, and hands them to the
// session.
func (p *publisher) publish(ctx actor.Context) {
	for p.isOpen() && !p.draining && len(p.pending) > 0 {
		n := p.allowed(min(p.window.Free(), len(p.pending[0].topics)))
		if n == 0 {
			break
		}
		next := &p.pending[0]
		head := routed{next.batch.Head(n), next.topics[:n]}
		next.batch, next.topics = next.batch.After(head.batch.Last()), next.topics[n:]
		if len(next.topics) == 0 {
			p.pending[0] = routed{}
			p.pending = p.pending[1:]
		}
		p.send(head)
		p.owed += n
	}
	p.raise(ctx) // past what earlier PUBACKs have settled
	if p.owed >= max(1, p.spec.MQTT.MaxInflight/2) {
		send(ctx, p.peers.topicRouter, &messages.GrantCredit{Run: p.run, Frames: p.owed})
		p.owed = 0
	}
}

// send adds frames to the window and hands those that are to be published to the session.
func (p *publisher) send(r routed) {
	out := make([]broker.Message, 0, len(r.topics))
	bytes := 0
	for i := range r.batch.Frames {
		number := r.batch.First + uint64(i)
		if !p.window.Add(number) {
			continue // settled by a PUBACK of an earlier session
		}
		if number <= p.highest {
			p.counters.Redelivered.Add(1)
		}
		raw := r.batch.Frames[i].Raw
		bytes += len(raw)
		out = append(out, broker.Message{Seq: number, Topic: r.topics[i], Payload: raw})
	}
	p.highest = max(p.highest, r.batch.Last())
	p.sent = append(p.sent, r.batch)
	p.counters.Published.Add(uint64(len(out)))
	p.counters.PublishedBytes.Add(uint64(bytes))
	p.counters.InFlight.Store(int64(p.window.InFlight()))
	if len(out) > 0 {
		p.session.out <- out
	}
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
	p.session.cancel()
	p.session, p.pending, p.sent = nil, nil, nil
	p.window.Restart()
	p.counters.InFlight.Store(0)
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
	ctx.Send(ctx.Parent(), &messages.BrokerChanged{
		State: telemetry.Backoff, Attempt: p.backoff.Attempt(), RetryAt: time.Now().Add(delay), Err: err,
	})
	p.life.after(delay, reconnect{})
}

// drain publishes nothing more and waits for what is in flight.
func (p *publisher) drain(ctx actor.Context) {
	p.draining = true
	p.pending = nil
	send(ctx, p.peers.topicRouter, &messages.StopDelivery{Run: p.run})
	if p.session != nil && !p.isOpen() {
		p.session.cancel()
		p.session = nil
	}
	p.drained(ctx)
}

// drained answers a drain once nothing is in flight.
func (p *publisher) drained(ctx actor.Context) {
	if p.window.InFlight() == 0 {
		ctx.Send(ctx.Parent(), &messages.Drained{Child: publisherName})
	}
}
