package actors

import (
	"context"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/backoff"
	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/messages"
)

const (
	// cautiousAfter is how many sessions may end with the same frame unacknowledged until frames go one at a time: then
	// it is known which one the broker does not take.
	cautiousAfter = 2
	// parkAfter is how many such sessions it takes until the frame is parked, if another frame passed in the last.
	parkAfter = 5
)

// doubt is what a lane holds against the frame that was the first without its PUBACK when the last session ended. A
// broker that is away, restarts or hangs leaves frames unacknowledged, too. So a frame is parked only once parkAfter
// sessions have ended without its PUBACK although, in the last of them, another frame was acknowledged.
type doubt struct {
	number   uint64 // 0: none
	attempts int    // sessions that ended without its PUBACK
	until    uint64 // frames up to this one go one at a time
	rounds   int    // sessions in which no other frame passed either
	other    uint64 // the frame that was sent before it in this session, to see whether it passes; 0: none
	passed   bool   // it did
}

// cautious reports whether the lane's next frame goes alone.
func (l *lane) cautious() bool { return l.window.Floor() < l.doubt.until }

// sessionEnded draws its conclusion from a session's end and reports whether the frame in doubt is to be parked. It
// is called before the windows forget what was in flight.
func (l *lane) sessionEnded() (park bool) {
	d := &l.doubt
	oldest, awaited := l.window.Oldest()
	switch {
	case awaited && oldest == d.number:
		d.attempts++
		park = d.passed && d.attempts >= parkAfter
	case awaited:
		*d = doubt{number: oldest, attempts: 1, until: d.until}
	case d.other != 0 && !d.passed:
		d.rounds++
	}
	if awaited && d.attempts >= cautiousAfter {
		d.until = max(d.until, l.highest)
	}
	d.other, d.passed = 0, false
	return park
}

// toProbe reports whether another frame of the lane is to be tried before the one in doubt.
func (l *lane) toProbe() bool {
	d := &l.doubt
	return d.attempts >= parkAfter-1 && d.number > l.window.Floor() && d.other == 0 && !d.passed
}

// probe publishes another frame of the lane before one that has outlasted many sessions, to see whether the broker
// takes anything at all. The other one overtakes it, which the order allows only because the first is about to be
// parked. It reports whether the lane has to wait: for that, or for another frame that is still to come.
func (p *publisher) probe(l *lane) (wait bool) {
	if !l.toProbe() || len(l.pending) == 0 {
		return false
	}
	if p.inFlight() > 0 || p.allowed(1) == 0 {
		return true
	}
	others := l.behind(l.doubt.number)
	for i := range others {
		other := others[(i+l.doubt.rounds)%len(others)]
		if out, repeat, publish := l.addAhead(other); publish {
			l.doubt.other = other.batch.First
			p.send([]broker.Message{out}, count(repeat))
			return true
		}
	}
	return l.received.Number < l.last()
}

// behind are the frames that wait behind a number.
func (l *lane) behind(number uint64) (others []routed) {
	for _, r := range l.pending {
		for i := range r.topics {
			if n := r.batch.First + uint64(i); n > number {
				one := buffer.Batch{First: n, Seq: r.batch.Seq, Frames: r.batch.Frames[i : i+1]}
				others = append(others, routed{one, r.topics[i : i+1]})
			}
		}
	}
	return others
}

// passed notes that the broker took a frame: what that says of the one in doubt.
func (p *publisher) passed(l *lane, number uint64) {
	if number == l.doubt.other {
		l.doubt.passed = true
	}
	if l == p.main {
		p.aside.doubt.passed = true
	}
}

// parked is the report that a frame is stored where it waits for an operator.
type parked struct {
	lane  *lane
	frame buffer.ParkedFrame
}

// park stores the frame in doubt where it waits for an operator. Nothing is published until it is there.
func (p *publisher) park(l *lane, cause error) {
	frame := l.frame(l.doubt.number)
	p.parking = &parked{l, buffer.ParkedFrame{
		Number: l.doubt.number, Topic: string(p.template.Append(nil, &frame.Envelope)), Attempts: l.doubt.attempts,
		Reason:   fmt.Sprintf("%d sessions ended without its PUBACK, in the last one others passed: %v", l.doubt.attempts, cause),
		ParkedAt: time.Now(), Raw: frame.Raw,
	}}
	parking, life := p.parking, p.life
	life.run(life.ctx, func(ctx context.Context) {
		failures := backoff.New()
		for {
			err := p.Parked.Park(ctx, p.spec.ID, parking.frame)
			if err == nil {
				life.tell(parking)
				return
			}
			life.tell(&messages.BufferChanged{Child: publisherName, Err: err})
			if !pause(ctx, failures.Failed(0)) {
				return
			}
		}
	})
}

// hasParked goes on without the frame that was parked.
func (p *publisher) hasParked(ctx actor.Context, m *parked) {
	p.parking = nil
	m.lane.window.Settle(m.frame.Number)
	m.lane.doubt = doubt{until: m.lane.doubt.until}
	p.settled = p.main.window.Settled()
	p.counters.Parked.Add(1)
	ctx.Send(ctx.Parent(), &messages.BufferChanged{Child: publisherName})
	ctx.Send(ctx.Parent(), &messages.FrameParked{Frame: m.frame})
	p.publish(ctx)
}
