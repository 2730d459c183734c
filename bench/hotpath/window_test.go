package hotpath

import (
	"fmt"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/window"
)

// BenchmarkWindow takes a frame through a full window: added, sent, acknowledged, with the deadline looked at as often
// as the publisher does, once for each batch of PUBACKs.
func BenchmarkWindow(b *testing.B) {
	for _, limit := range []int{1, 100, 1000} {
		for name, place := range map[string]func(i int) int{
			"in-order": func(i int) int { return i },
			"reversed": func(i int) int { return limit - 1 - i },
		} {
			b.Run(fmt.Sprintf("%d/%s", limit, name), func(b *testing.B) {
				w, now, last := window.New(limit, time.Second, 0), time.Now(), uint64(0)
				b.ReportAllocs()
				b.ResetTimer()
				for n := 0; n < b.N; n += limit {
					for i := range limit {
						w.Add(last + 1 + uint64(i))
						w.Sent(last+1+uint64(i), now)
					}
					for i := range limit {
						if _, awaited := w.Acknowledge(last + 1 + uint64(place(i))); !awaited {
							b.Fatal("a frame in flight was not awaited")
						}
					}
					w.Deadline()
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
