package actors

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lorry-mqtt/lorry/internal/buffer"
)

// floor is how far the connection's frames are settled, kept outside the publisher so that the next one starts from
// it should this one fail.
type floor struct {
	mu     sync.Mutex
	cursor buffer.Cursor
}

func (f *floor) load() buffer.Cursor {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cursor
}

func (f *floor) store(c buffer.Cursor) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cursor = c
}

// settled reports whether a frame behind the floor is settled.
func (f *floor) settled(number uint64) bool {
	_, found := slices.BinarySearch(f.load().Settled, number)
	return found
}

// behind knows for how long the oldest unacknowledged frame has been waiting.
type behind struct{ oldest atomic.Int64 } // Unix nanoseconds; 0: nothing waits

// since notes when the oldest waiting frame was received.
func (b *behind) since(received time.Time) { b.oldest.Store(received.UnixNano()) }

// upTo notes that everything up to floor is acknowledged, of frames up to last.
func (b *behind) upTo(floor, last uint64) {
	if floor >= last {
		b.oldest.Store(0)
	}
}

// appended notes a frame that was stored: if nothing waited before it, it is the oldest.
func (b *behind) appended(received time.Time) { b.oldest.CompareAndSwap(0, received.UnixNano()) }

// age is how long the oldest waiting frame has been waiting.
func (b *behind) age() time.Duration {
	oldest := b.oldest.Load()
	if oldest == 0 {
		return 0
	}
	return max(0, time.Since(time.Unix(0, oldest)))
}
