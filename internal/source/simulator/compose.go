package simulator

import (
	"sync/atomic"
	"time"
)

const (
	batchItems = 128
	batchBytes = 64 << 10
	holdAtMost = 500 * time.Millisecond // a frame to be overtaken goes anyway when none comes to overtake it
	idle       = time.Hour
)

// heldFrame waits until it was overtaken by so many frames.
type heldFrame struct {
	item
	after int
	until time.Time
}

// compose fills out with what is due by now, and tells how long to wait when that is nothing.
func (s *stream) compose(now time.Time) time.Duration {
	s.out = s.out[:0]
	if !s.take(now) {
		return s.stallLeft(now)
	}
	if !now.Before(s.nextPong) {
		s.out = appendFrame(s.out, opPong, nil)
		s.nextPong = s.nextPong.Add(s.ns.cfg.PongInterval)
		if s.nextPong.Before(now) {
			s.nextPong = now.Add(s.ns.cfg.PongInterval)
		}
	}
	s.loadReplay(now)
	picked := false
	for len(s.out) < batchBytes && s.fate == nil && !s.silent() {
		it, ok := s.pick(now)
		if !ok {
			break
		}
		picked = true
		s.pass(it, now)
	}
	if s.fate == nil && !s.silent() {
		s.release(0, now)
	}
	if picked {
		return 0 // there may be more
	}
	return s.untilNext(now)
}

// take moves what others queued to the writer; it returns false while the stream is stalled.
func (s *stream) take(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving != nil {
		s.finish(s.leaving)
		return false
	}
	if s.stalled && !s.stallEnd.IsZero() && !now.Before(s.stallEnd) {
		s.stalled = false
	}
	if s.stalled {
		return false
	}
	if s.overflow {
		s.finish(&departure{CloseFrame, closeTryAgainLater, "queue overflowed while stalled"})
		return false
	}
	s.out = append(s.out, s.control...)
	s.control = s.control[:0]
	if len(s.taken) == 0 {
		k := min(len(s.live), batchItems)
		s.taken = append(s.taken[:0], s.live[:k]...)
		clear(s.live[:k])
		s.live = s.live[k:]
	}
	return true
}

// finish makes what is composed the last of the stream. The stream is locked.
func (s *stream) finish(d *departure) {
	s.fate, s.leaving, s.why = d, d, orElse(s.why, d.reason)
	if d.how == CloseFrame {
		s.out = appendClose(s.out, d.code, d.reason)
	}
}

func (s *stream) stallLeft(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stallEnd.IsZero() {
		return idle
	}
	return s.stallEnd.Sub(now)
}

// loadReplay selects from history at the last moment, when the configuration wants live and replayed to overlap.
func (s *stream) loadReplay(now time.Time) {
	if p := s.replay; p != nil && !p.loaded && !now.Before(p.starts) {
		s.ns.mu.Lock()
		p.items, p.loaded = s.ns.owed(s.query), true
		s.ns.mu.Unlock()
	}
}

// pick chooses the next frame: by the toss of a coin where both a live and a replayed one wait.
func (s *stream) pick(now time.Time) (item, bool) {
	live, replayed := len(s.taken) > 0, s.replay.ready(now)
	if live && replayed {
		live = s.r.IntN(2) == 0
	}
	switch {
	case live:
		it := s.taken[0]
		s.taken = s.taken[1:]
		return it, true
	case replayed:
		return s.replay.take(), true
	}
	return item{}, false
}

// pass sends a frame, or does to it what chance or a test demands. Raw frames of a test's choosing are left alone.
func (s *stream) pass(it item, now time.Time) {
	f := s.ns.cfg.Faults
	if it.m == nil {
		s.put(it)
		s.release(1, now)
		return
	}
	if s.rolls(f.Drop) {
		s.misfortune("dropped")
		s.mu.Lock()
		s.finish(&departure{f.DropHow, closeGoingAway, "dropped by chance"})
		s.mu.Unlock()
		return
	}
	if s.rolls(f.Garbage) {
		s.put(item{raw: garbage(s.r)})
	}
	hold := s.rolls(f.Disorder)
	if counted(&s.disorder) {
		s.odd = !s.odd
		hold = s.odd
	}
	if hold {
		s.held = append(s.held, heldFrame{it, 1 + s.r.IntN(f.Window), now.Add(holdAtMost)})
		return
	}
	s.put(it)
	if counted(&s.repeat) || s.rolls(f.Repeat) {
		it.repeat = true
		s.put(it)
	}
	s.release(1, now)
	if s.rolls(f.Stall) {
		s.misfortune("stalled")
		s.stall(now.Add(f.StallFor))
	}
}

func (s *stream) rolls(chance float64) bool { return chance > 0 && s.r.Float64() < chance }

// counted takes one from the number, if it has one.
func counted(n *atomic.Int64) bool {
	for {
		v := n.Load()
		if v <= 0 {
			return false
		}
		if n.CompareAndSwap(v, v-1) {
			return true
		}
	}
}

// release tells the held frames that so many passed, and sends those that waited for it.
func (s *stream) release(passed int, now time.Time) {
	kept := s.held[:0]
	for _, h := range s.held {
		if h.after -= passed; h.after <= 0 || !now.Before(h.until) {
			s.put(h.item)
		} else {
			kept = append(kept, h)
		}
	}
	s.held = kept
}

// put appends a frame to what is written next.
func (s *stream) put(it item) {
	if it.m != nil {
		v := view{
			radio: s.query.radio, lora: s.query.lora, copy: it.copy,
			history: it.history, reshuffle: s.ns.cfg.History.Reshuffle,
		}
		s.scratch = s.ns.gen.render(s.scratch[:0], it.m, v)
		s.out = appendFrame(s.out, opText, s.scratch)
	} else {
		s.out = appendFrame(s.out, opText, it.raw)
	}
	s.sent.Add(1)
	s.ns.count(s, it)
}

// untilNext is how long nothing is due unless something happens.
func (s *stream) untilNext(now time.Time) time.Duration {
	next := s.nextPong
	if t, ok := s.replay.at(); ok && t.Before(next) {
		next = t
	}
	for _, h := range s.held {
		if h.until.Before(next) {
			next = h.until
		}
	}
	return max(next.Sub(now), 0)
}
