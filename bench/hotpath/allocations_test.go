package hotpath

import (
	"fmt"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/window"
)

// allocates checks how many allocations a step makes for each of the frames that it takes, on average. Time depends on the
// machine; this does not, nor on the race detector where only this module's code runs.
func allocates(t *testing.T, atMost float64, frames int, step func()) {
	t.Helper()
	if got := testing.AllocsPerRun(10, step) / float64(frames); got > atMost {
		t.Errorf("%.2f allocations for each frame, at most %.2f are fine", got, atMost)
	}
}

func TestScanAllocates(t *testing.T) {
	for _, frame := range scans(t) {
		t.Run(frame.name, func(t *testing.T) {
			allocates(t, 0, 1, func() {
				if _, err := dataapi.Scan(frame.raw); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestTopicAllocates(t *testing.T) {
	frames := someFrames(t, 100)
	for _, template := range templates {
		t.Run(template.name, func(t *testing.T) {
			topics := newTopics(t, template.source, frames)
			allocates(t, 0, len(frames), func() {
				for i := range frames {
					if topics.of(&frames[i]) == "" {
						t.Fatalf("%s is new", topics.buf)
					}
				}
			})
		})
	}
}

func TestWindowAllocates(t *testing.T) {
	const limit = 100
	for _, order := range orders {
		t.Run(order.name, func(t *testing.T) {
			w, now := window.New(limit, time.Second, 0), time.Now()
			allocates(t, 0, limit, func() {
				if !pass(w, limit, w.Floor(), now, order.place) {
					t.Fatal("a frame in flight was not awaited")
				}
			})
		})
	}
}

func TestFeedAllocates(t *testing.T) {
	store := openStore(t)
	for size, atMost := range map[int]float64{1: 2, 100: 0.02} {
		t.Run(fmt.Sprintf("memory/%d", size), func(t *testing.T) {
			r, frames := readMemory(t, openLog(t, store, size)), someFrames(t, size)
			allocates(t, atMost, size, func() {
				if err := r.handOn(t.Context(), frames); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
	const stored = 1000
	// JetStream serves it within the process, and allocates 8.1 and 0.54 for a frame; under the race detector 9.7 and 0.62.
	for size, atMost := range map[int]float64{10: 10.5, 500: 0.8} {
		t.Run(fmt.Sprintf("stream/%d", size), func(t *testing.T) {
			r := readStream(t, store, stored, size)
			allocates(t, atMost, stored, func() {
				for r.pos = (buffer.Position{}); r.pos.Number < stored; {
					if _, err := r.next(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}
