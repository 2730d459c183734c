package hotpath

import (
	"fmt"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/window"
)

// orders are those in which PUBACKs come: the place of the i-th among so many frames.
var orders = []struct {
	name  string
	place func(i, frames int) int
}{
	{"in-order", func(i, _ int) int { return i }},
	{"reversed", func(i, frames int) int { return frames - 1 - i }},
}

// pass takes as many frames as the window holds through it, those after last: added, sent, acknowledged, with the deadline
// looked at as often as the publisher does, once for each batch of PUBACKs. It reports whether all were awaited.
func pass(w *window.Window, limit int, last uint64, now time.Time, place func(i, frames int) int) (all bool) {
	for i := range limit {
		w.Add(last + 1 + uint64(i))
		w.Sent(last+1+uint64(i), now)
	}
	for i := range limit {
		if _, awaited := w.Acknowledge(last + 1 + uint64(place(i, limit))); !awaited {
			return false
		}
	}
	w.Deadline()
	return true
}

// BenchmarkWindow takes frames through a full window.
func BenchmarkWindow(b *testing.B) {
	for _, limit := range []int{1, 100, 1000} {
		for _, order := range orders {
			b.Run(fmt.Sprintf("%d/%s", limit, order.name), func(b *testing.B) {
				w, now, last := window.New(limit, time.Second, 0), time.Now(), uint64(0)
				b.ReportAllocs()
				b.ResetTimer()
				for n := 0; n < b.N; n += limit {
					if !pass(w, limit, last, now, order.place) {
						b.Fatal("a frame in flight was not awaited")
					}
					last += uint64(limit)
				}
				if w.Floor() != last {
					b.Fatalf("floor %d after %d frames", w.Floor(), last)
				}
				reportRate(b)
			})
		}
	}
}
