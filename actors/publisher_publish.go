package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/messages"
)

// publish moves frames into the windows, as many as there is room for, and hands them to the session: first those that
// overtake, then the log, and what is aside when nothing else waits.
func (p *publisher) publish(ctx actor.Context) {
	if p.isOpen() && !p.draining && p.parking == nil {
		p.publishAhead()
		if !p.probe(p.main) {
			p.publishLane(p.main)
		}
		if len(p.main.pending) == 0 && !p.probe(p.aside) {
			p.publishLane(p.aside)
		}
	}
	p.noteInFlight()
	p.raise(ctx) // past what earlier PUBACKs have settled
	if p.owed >= max(1, p.spec.MQTT.MaxInflight/2) {
		send(ctx, p.peers.topicRouter, &messages.GrantCredit{Run: p.run, Frames: p.owed})
		p.owed = 0
	}
}

// places is how many frames of a lane may be added now. A frame in doubt is published alone.
func (p *publisher) places(l *lane) int {
	inFlight := p.inFlight()
	for _, other := range p.lanes() {
		if other.cautious() && other.window.InFlight() > 0 {
			return 0
		}
	}
	if l.cautious() {
		return max(0, 1-inFlight)
	}
	return p.spec.MQTT.MaxInflight - p.main.window.Used() - p.aside.window.Used()
}

// noteInFlight keeps the gauge current, and what the node's other publishers make way for.
func (p *publisher) noteInFlight() {
	inFlight := p.inFlight()
	p.counters.InFlight.Store(int64(inFlight))
	p.crowd.note(inFlight, inFlight > 0 || len(p.main.pending)+len(p.aside.pending)+len(p.overtaking) > 0)
}

func (p *publisher) inFlight() int { return p.main.window.InFlight() + p.aside.window.InFlight() }

// publishLane publishes what a lane has waiting, in order, as far as the node's other publishers leave room.
func (p *publisher) publishLane(l *lane) {
	for len(l.pending) > 0 {
		n := min(p.places(l), len(l.pending[0].topics))
		if n > 0 {
			n = p.allowed(p.crowd.take(n))
		}
		if n == 0 {
			return
		}
		head := l.head(n)
		out, repeats := l.add(head)
		p.send(out, repeats)
		p.owed += len(head.topics)
		p.noteInFlight()
	}
}

// publishAhead publishes the frames that overtake, if they still can.
func (p *publisher) publishAhead() {
	for len(p.overtaking) > 0 {
		if p.overtaking[0].batch.Frames[0].Expired(time.Now()) {
			p.overtaking = p.overtaking[1:] // it will be set aside when its turn comes
			continue
		}
		if p.allowed(min(1, p.places(p.main))) == 0 {
			return
		}
		next := p.overtaking[0]
		p.overtaking = p.overtaking[1:]
		if out, repeat, publish := p.main.addAhead(next); publish {
			p.counters.Overtaken.Add(1)
			p.send([]broker.Message{out}, count(repeat))
		}
	}
}

// send hands messages to the session.
func (p *publisher) send(out []broker.Message, repeats int) {
	bytes := 0
	for i := range out {
		bytes += len(out[i].Payload)
	}
	p.counters.Redelivered.Add(uint64(repeats))
	p.counters.Published.Add(uint64(len(out)))
	p.counters.PublishedBytes.Add(uint64(bytes))
	if len(out) > 0 {
		p.session.hand(p.life, out)
	}
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
