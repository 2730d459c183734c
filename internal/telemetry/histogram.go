package telemetry

import (
	"sync/atomic"
	"time"
)

// bounds are the buckets' upper bounds, inclusive. The default ack_timeout is one of them, so that the PUBACKs that
// came too late can be read off.
var bounds = [...]time.Duration{
	500 * time.Microsecond,
	time.Millisecond,
	2500 * time.Microsecond,
	5 * time.Millisecond,
	10 * time.Millisecond,
	25 * time.Millisecond,
	50 * time.Millisecond,
	100 * time.Millisecond,
	250 * time.Millisecond,
	500 * time.Millisecond,
	time.Second,
	2500 * time.Millisecond,
	5 * time.Second,
}

// Histogram counts durations in fixed buckets. Observing one is two atomic additions; nothing is locked or allocated.
// The zero value is ready.
type Histogram struct {
	buckets [len(bounds) + 1]atomic.Uint64 // not cumulative; the last is for what exceeds all bounds
	sum     atomic.Int64                   // nanoseconds
}

// Observe counts one duration; a negative one counts as 0.
func (h *Histogram) Observe(d time.Duration) {
	d = max(d, 0)
	i := 0
	for i < len(bounds) && d > bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

// Count returns how many durations were observed.
func (h *Histogram) Count() uint64 {
	var n uint64
	for i := range h.buckets {
		n += h.buckets[i].Load()
	}
	return n
}

// cumulative returns the counts as Prometheus wants them: those up to each bound, all of them, and the sum in seconds.
func (h *Histogram) cumulative() (upTo map[float64]uint64, count uint64, sum float64) {
	upTo = make(map[float64]uint64, len(bounds))
	for i, bound := range bounds {
		count += h.buckets[i].Load()
		upTo[bound.Seconds()] = count
	}
	count += h.buckets[len(bounds)].Load()
	return upTo, count, time.Duration(h.sum.Load()).Seconds()
}
