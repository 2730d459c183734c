package simulator

import (
	"math"
	"time"
)

// replay is what a stream is owed from history; the stream's writer mixes it with what is live.
type replay struct {
	items  []item
	loaded bool
	next   int
	starts time.Time
	rate   float64 // frames a second; 0: no bound
}

// due is how many of the frames may be sent by now, all told.
func (p *replay) due(now time.Time) int {
	if now.Before(p.starts) {
		return 0
	}
	if p.rate == 0 {
		return len(p.items)
	}
	// A billionth of a frame makes up for rounding: what at names is due at that time.
	return min(len(p.items), 1+int(now.Sub(p.starts).Seconds()*p.rate+1e-9))
}

// ready tells whether a frame may be sent now.
func (p *replay) ready(now time.Time) bool { return p != nil && p.loaded && p.next < p.due(now) }

func (p *replay) take() item {
	it := p.items[p.next]
	p.items[p.next] = item{}
	p.next++
	return it
}

// at is when the next frame is due; ok is false when none is left.
func (p *replay) at() (t time.Time, ok bool) {
	if p == nil || p.loaded && p.next == len(p.items) {
		return time.Time{}, false
	}
	if p.rate == 0 || p.next == 0 {
		return p.starts, true
	}
	return p.starts.Add(time.Duration(math.Ceil(float64(p.next) / p.rate * float64(time.Second)))), true
}
