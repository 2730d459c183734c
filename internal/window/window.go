// Package window accounts for what one connection has published and the broker has not yet acknowledged
// (MQTT 3.1.1 §4.3.2, §4.4): the order of sending, the acknowledged floor, and the deadline of the oldest.
// It is pure: it takes times and numbers and does no I/O.
package window

import (
	"fmt"
	"slices"
	"time"
)

// Window holds the publishes between the acknowledged floor and the newest one, at most its limit. Frames are
// known by their numbers, which ascend; a frame that cannot wait for its turn may be added ahead of it (ahead.go).
// It outlives the MQTT session, because what was settled above the floor in one session need not be sent again in
// the next. It is not safe for concurrent use.
type Window struct {
	limit   int
	timeout time.Duration
	slots   []slot // ring, as long as was ever needed: most connections never fill their window
	head, n int
	ahead   []slot // published ahead of their turn and not yet acknowledged, in order of sending
	waiting int    // slots, ahead or not, that are not acknowledged
	floor   uint64
	settled map[uint64]struct{} // above the floor, and not to be published when their turn comes
}

type slot struct {
	number uint64
	sentAt time.Time // zero until it is on the wire
	acked  bool
}

// awaited reports whether a PUBACK is to come for it.
func (s *slot) awaited() bool { return !s.acked && !s.sentAt.IsZero() }

// New makes an empty window for at most limit unacknowledged publishes, each of which has timeout from being
// sent until its PUBACK. All frames up to and including floor count as acknowledged, and of those above it the
// settled ones.
func New(limit int, timeout time.Duration, floor uint64, settled ...uint64) *Window {
	if limit < 1 {
		panic(fmt.Sprintf("window: limit %d", limit))
	}
	w := &Window{limit: limit, timeout: timeout, floor: floor}
	for _, number := range settled {
		w.settle(number)
	}
	return w
}

// Free is how many more frames may be added now.
func (w *Window) Free() int { return w.limit - w.Used() }

// Used is how many places are taken: by frames that are not acknowledged, and by those that are but wait for one
// before them.
func (w *Window) Used() int { return w.n + len(w.ahead) }

// InFlight is how many frames are added and not acknowledged.
func (w *Window) InFlight() int { return w.waiting }

// Floor is the number of the last frame that is acknowledged with all before it.
func (w *Window) Floor() uint64 { return w.floor }

// Add takes a place for the frame, which must have a higher number than all before. It reports whether the
// frame is to be published: false means that it is settled already, or on its way ahead of its turn. Add panics
// when no place is free or the number does not ascend, since either would break the order that is promised.
func (w *Window) Add(number uint64) (publish bool) {
	last := w.floor
	if w.n > 0 {
		last = w.at(w.n - 1).number
	}
	if number <= last {
		panic(fmt.Sprintf("window: frame %d added after frame %d", number, last))
	}
	if i := w.findAhead(number); i >= 0 { // it keeps the place that it has
		w.push(w.ahead[i])
		w.ahead = slices.Delete(w.ahead, i, i+1)
		return false
	}
	if w.Free() == 0 {
		panic(fmt.Sprintf("window: frame %d added to a full window", number))
	}
	_, settled := w.settled[number]
	w.push(slot{number: number, acked: settled})
	if settled {
		w.advance()
		return false
	}
	w.waiting++
	return true
}

// Sent notes that a frame is on its way to the broker; its time for a PUBACK begins.
func (w *Window) Sent(number uint64, at time.Time) {
	if i := w.findAhead(number); i >= 0 {
		w.ahead[i].sentAt = at
	} else if s := w.find(number); s != nil {
		s.sentAt = at
	}
}

// Acknowledge notes the PUBACK of a frame, which may come in any order, and reports whether it was awaited and
// when the frame was sent.
func (w *Window) Acknowledge(number uint64) (sentAt time.Time, awaited bool) {
	if i := w.findAhead(number); i >= 0 {
		sentAt = w.ahead[i].sentAt
		w.ahead = slices.Delete(w.ahead, i, i+1)
		w.waiting--
		w.settle(number)
		return sentAt, true
	}
	s := w.find(number)
	if s == nil || s.acked {
		return time.Time{}, false
	}
	s.acked = true
	w.waiting--
	sentAt = s.sentAt
	w.advance()
	return sentAt, true
}

// Oldest is the lowest frame that was sent in its turn and is not acknowledged; false when there is none.
func (w *Window) Oldest() (number uint64, awaited bool) {
	for i := range w.n {
		if s := w.at(i); s.awaited() {
			return s.number, true
		}
	}
	return 0, false
}

// Deadline is when the first frame that was sent of those on the wire must have been acknowledged; false when none
// is awaited.
func (w *Window) Deadline() (at time.Time, awaited bool) {
	first := func(s *slot) {
		if s.awaited() && (!awaited || s.sentAt.Before(at)) {
			at, awaited = s.sentAt, true
		}
	}
	for i := range w.n {
		first(w.at(i))
	}
	for i := range w.ahead {
		first(&w.ahead[i])
	}
	return at.Add(w.timeout), awaited
}

// Restart empties the window for a new session: everything above the floor is to be added again, in order, and
// what was settled above it stays settled.
func (w *Window) Restart() {
	for i := range w.n {
		if s := w.at(i); s.acked {
			w.settle(s.number)
		}
	}
	w.head, w.n, w.waiting, w.ahead = 0, 0, 0, nil
}

// advance moves the floor over the acknowledged frames at the head.
func (w *Window) advance() {
	for w.n > 0 && w.at(0).acked {
		w.floor = w.at(0).number
		delete(w.settled, w.floor)
		w.head = (w.head + 1) % len(w.slots)
		w.n--
	}
}

// firstSlots is how long the ring is at first.
const firstSlots = 4

// push puts a slot behind the newest.
func (w *Window) push(s slot) {
	if w.n == len(w.slots) {
		longer := make([]slot, min(w.limit, max(firstSlots, 2*w.n)))
		for i := range w.n {
			longer[i] = *w.at(i)
		}
		w.slots, w.head = longer, 0
	}
	*w.at(w.n) = s
	w.n++
}

// find is the slot of a frame; nil when it is not in the window, or ahead of its turn.
func (w *Window) find(number uint64) *slot {
	low, high := 0, w.n
	for low < high {
		if mid := (low + high) / 2; w.at(mid).number < number {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == w.n || w.at(low).number != number {
		return nil
	}
	return w.at(low)
}

// at is the i-th slot from the oldest.
func (w *Window) at(i int) *slot { return &w.slots[(w.head+i)%len(w.slots)] }
