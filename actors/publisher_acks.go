package actors

import (
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/messages"
)

// settle books sent publishes and PUBACKs.
func (p *publisher) settle(ctx actor.Context, s *session) {
	for _, h := range s.happened.take() {
		l, number := p.laneOf(h.ticket)
		if !h.acked {
			l.window.Sent(number, h.at)
			continue
		}
		sentAt, awaited := l.window.Acknowledge(number)
		if !awaited {
			continue
		}
		p.counters.Acknowledged.Add(1)
		p.counters.AckLatency.Observe(h.at.Sub(sentAt))
		p.passed(l, number)
		if l.tried[number] && number > l.window.Floor() {
			p.settled = p.main.window.Settled()
		}
	}
	p.noteInFlight()
	p.raise(ctx)
}

// raise has the connection's floor, the place from which everything starts again, follow the windows'.
func (p *publisher) raise(ctx actor.Context) {
	c := p.floor.load()
	known := len(c.Settled)
	at := p.main.raise(&c.Position)
	if at != nil {
		c.Time = at.Envelope.Meta.Time
	}
	passed, _ := slices.BinarySearch(p.settled, c.Number+1)
	p.settled = p.settled[passed:]
	c.Settled = p.settled
	if p.aside.raise(&c.Aside) == nil && at == nil && len(c.Settled) == known {
		return
	}
	p.floor.store(c)
	p.oldest(c.Number)
	ctx.Send(ctx.Parent(), &messages.FloorMoved{Cursor: c})
}

// oldest notes since when the oldest unacknowledged frame has been waiting.
func (p *publisher) oldest(floor uint64) {
	if at := p.main.oldest(); !at.IsZero() {
		p.behind.since(at)
	} else {
		p.behind.upTo(floor, p.frames.Last())
	}
}

// armDeadline sees to it that the oldest unacknowledged publish is looked at when its time is up.
func (p *publisher) armDeadline(s *session) {
	if p.deadline != nil {
		return
	}
	if at, awaited := p.firstDeadline(); awaited {
		p.deadline = p.life.after(time.Until(at), ackDeadline{s})
	}
}

// firstDeadline is the earlier one of the lanes'.
func (p *publisher) firstDeadline() (at time.Time, awaited bool) {
	for _, l := range p.lanes() {
		if d, ok := l.window.Deadline(); ok && (!awaited || d.Before(at)) {
			at, awaited = d, true
		}
	}
	return at, awaited
}

func (p *publisher) checkDeadline(ctx actor.Context, s *session) {
	if s != p.session {
		return
	}
	p.deadline = nil
	p.moved(ctx, s) // a PUBACK that is here is in time
	if s != p.session {
		return
	}
	if at, awaited := p.firstDeadline(); awaited && !time.Now().Before(at) {
		p.ended(ctx, s, fmt.Errorf("%w: the broker left a message unacknowledged for %v", errAckTimeout, p.spec.MQTT.AckTimeout))
	}
}
