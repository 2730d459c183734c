package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/messages"
)

// settle books sent publishes and PUBACKs.
func (p *publisher) settle(ctx actor.Context, s *session) {
	for _, h := range s.happened.take() {
		if !h.acked {
			p.window.Sent(h.number, h.at)
			continue
		}
		if sentAt, awaited := p.window.Acknowledge(h.number); awaited {
			p.counters.Acknowledged.Add(1)
			p.counters.AckLatency.Observe(h.at.Sub(sentAt))
		}
	}
	p.counters.InFlight.Store(int64(p.window.InFlight()))
	p.raise(ctx)
}

// raise has the connection's floor, the place from which everything starts again, follow the window's.
func (p *publisher) raise(ctx actor.Context) {
	floor := p.window.Floor()
	if floor <= p.floor.load().Number {
		return
	}
	for p.sent[0].Last() < floor {
		p.sent[0] = buffer.Batch{}
		p.sent = p.sent[1:]
	}
	batch := p.sent[0]
	frame := batch.Frames[floor-batch.First]
	p.floor.store(buffer.Cursor{Position: batch.At(floor), Time: frame.Envelope.Meta.Time})
	p.oldest(floor)
	ctx.Send(ctx.Parent(), &messages.FloorMoved{Cursor: p.floor.load()})
}

// oldest notes since when the oldest unacknowledged frame has been waiting.
func (p *publisher) oldest(floor uint64) {
	for _, batch := range p.sent {
		if batch.Last() > floor {
			p.behind.since(batch.After(floor).Frames[0].Received)
			return
		}
	}
	p.behind.upTo(floor, p.frames.Last())
}

// armDeadline sees to it that the oldest unacknowledged publish is looked at when its time is up.
func (p *publisher) armDeadline(s *session) {
	if p.deadline != nil {
		return
	}
	if at, awaited := p.window.Deadline(); awaited {
		p.deadline = p.life.after(time.Until(at), ackDeadline{s})
	}
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
	if at, awaited := p.window.Deadline(); awaited && !time.Now().Before(at) {
		p.ended(ctx, s, fmt.Errorf("%w: the broker left a message unacknowledged for %v", errAckTimeout, p.spec.MQTT.AckTimeout))
	}
}
