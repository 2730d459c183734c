package window

import (
	"maps"
	"slices"
)

// MaxAhead bounds the frames that may be settled above the floor without having been in the ring: what overtakes is
// remembered one by one until the floor has passed it.
const MaxAhead = 4096

// AddAhead takes a place for a frame that overtakes those before it, and reports whether it is to be published. It is
// not when it is settled, has had its turn, is on its way already, or when the window has no place for it or remembers
// MaxAhead such frames: then it waits for its turn like any other. Once a frame was added ahead, [Window.Add] takes it
// in its turn without publishing it again.
func (w *Window) AddAhead(number uint64) (publish bool) {
	last := w.floor
	if w.n > 0 {
		last = w.at(w.n - 1).number
	}
	if number <= last || w.Free() == 0 || w.findAhead(number) >= 0 || len(w.settled)+len(w.ahead) >= MaxAhead {
		return false
	}
	if _, settled := w.settled[number]; settled {
		return false
	}
	w.ahead = append(w.ahead, slot{number: number})
	w.waiting++
	return true
}

// Settle has a frame count as acknowledged when its turn comes, because it was put elsewhere: it will not be
// published. Frames at or below the floor and frames that had their turn are left as they are.
func (w *Window) Settle(number uint64) {
	last := w.floor
	if w.n > 0 {
		last = w.at(w.n - 1).number
	}
	if number > last {
		w.settle(number)
	}
}

// Settled lists, in order, the frames above the floor that need not be published any more: what a window that is made
// anew has to know. It is at most MaxAhead and a window of them.
func (w *Window) Settled() []uint64 {
	settled := slices.Collect(maps.Keys(w.settled))
	for i := range w.n {
		if s := w.at(i); s.acked {
			settled = append(settled, s.number)
		}
	}
	slices.Sort(settled)
	return slices.Compact(settled)
}

func (w *Window) settle(number uint64) {
	if number <= w.floor {
		return
	}
	if w.settled == nil {
		w.settled = make(map[uint64]struct{})
	}
	w.settled[number] = struct{}{}
}

// findAhead is where in ahead a frame is; negative when it is not there.
func (w *Window) findAhead(number uint64) int {
	return slices.IndexFunc(w.ahead, func(s slot) bool { return s.number == number })
}
