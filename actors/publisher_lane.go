package actors

import (
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/window"
	"github.com/lorry-mqtt/lorry/messages"
)

// lane is one order of frames between the router and the broker: the connection's log, or what is aside. It has a
// window and a floor of its own; the places in flight are shared (publisher.places).
type lane struct {
	bit      uint64        // tells the lanes' tickets apart
	last     func() uint64 // number of the newest frame stored
	window   *window.Window
	received buffer.Position // the last frame that came in this run
	pending  []routed        // frames not in the window yet
	sent     []buffer.Batch  // frames in the window, for what the floor says of them
	highest  uint64          // the highest frame published in its turn
	tried    map[uint64]bool // frames above the floor that were published ahead of their turn
	doubt    doubt
}

// routed is what is left of a FramesRouted.
type routed struct {
	batch  buffer.Batch
	topics []string
}

func newLane(bit uint64, last func() uint64, mqtt connection.MQTT, floor uint64, settled []uint64) *lane {
	return &lane{
		bit: bit, last: last, window: window.New(mqtt.MaxInflight, time.Duration(mqtt.AckTimeout), floor, settled...),
		highest: floor, tried: map[uint64]bool{},
	}
}

// ticket names a frame towards the session, which knows nothing of lanes.
func (l *lane) ticket(number uint64) uint64 { return number<<1 | l.bit }

// take adds what the router sent.
func (l *lane) take(m *messages.FramesRouted) {
	l.received = m.Batch.At(m.Batch.Last())
	for _, number := range m.Settled {
		l.window.Settle(number)
	}
	l.pending = append(l.pending, routed{m.Batch, m.Topics})
}

// waiting is how many frames have been routed and are not in the window.
func (l *lane) waiting() (n int) {
	for _, r := range l.pending {
		n += len(r.topics)
	}
	return n
}

// head takes at most n frames, all from one batch, off those that wait.
func (l *lane) head(n int) routed {
	next := &l.pending[0]
	n = min(n, len(next.topics))
	head := routed{next.batch.Head(n), next.topics[:n]}
	next.batch, next.topics = next.batch.After(head.batch.Last()), next.topics[n:]
	if len(next.topics) == 0 {
		l.pending[0] = routed{}
		l.pending = l.pending[1:]
	}
	return head
}

// add moves frames into the window and returns those that are to be published, and how many of them are repeats.
func (l *lane) add(r routed) (out []broker.Message, repeats int) {
	out = make([]broker.Message, 0, len(r.topics))
	for i := range r.batch.Frames {
		number := r.batch.First + uint64(i)
		if !l.window.Add(number) {
			continue // settled, or on its way ahead of its turn
		}
		if number <= l.highest || l.tried[number] {
			repeats++
		}
		out = append(out, broker.Message{Seq: l.ticket(number), Topic: r.topics[i], Payload: r.batch.Frames[i].Raw})
	}
	l.highest = max(l.highest, r.batch.Last())
	l.sent = append(l.sent, r.batch)
	return out, repeats
}

// addAhead moves one frame into the window before its turn, and reports whether it is to be published.
func (l *lane) addAhead(r routed) (out broker.Message, repeat, publish bool) {
	number := r.batch.First
	if !l.window.AddAhead(number) {
		return broker.Message{}, false, false
	}
	repeat = number <= l.highest || l.tried[number]
	l.tried[number] = true
	return broker.Message{Seq: l.ticket(number), Topic: r.topics[0], Payload: r.batch.Frames[0].Raw}, repeat, true
}

// raise moves pos to the lane's floor and returns the frame there; nil if it is there already.
func (l *lane) raise(pos *buffer.Position) *dataapi.Frame {
	floor := l.window.Floor()
	if floor <= pos.Number {
		return nil
	}
	for l.sent[0].Last() < floor {
		l.sent[0] = buffer.Batch{}
		l.sent = l.sent[1:]
	}
	for number := range l.tried {
		if number <= floor {
			delete(l.tried, number)
		}
	}
	batch := l.sent[0]
	*pos = batch.At(floor)
	return &batch.Frames[floor-batch.First]
}

// oldest is when the oldest frame in the window that is not settled was received; zero when there is none.
func (l *lane) oldest() time.Time {
	floor := l.window.Floor()
	for _, batch := range l.sent {
		if batch.Last() > floor {
			return batch.After(floor).Frames[0].Received
		}
	}
	return time.Time{}
}

// frame is a frame that is in the window; nil if it is not.
func (l *lane) frame(number uint64) *dataapi.Frame {
	for _, batch := range l.sent {
		if batch.First <= number && number <= batch.Last() {
			return &batch.Frames[number-batch.First]
		}
	}
	return nil
}

// restart begins another session: everything above the floor comes again.
func (l *lane) restart() {
	l.pending, l.sent = nil, nil
	l.window.Restart()
}
