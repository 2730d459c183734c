package source

import (
	"slices"
	"time"
)

const (
	// smallChunk is the first chunk of a burst: most frames are 400–900 bytes.
	smallChunk = 1 << 10
	// largeChunk is the most that one kept frame can keep from being freed besides itself.
	largeChunk = 32 << 10
	// burstGap is the pause after which frames count as a new burst.
	burstGap = 100 * time.Millisecond
)

// slab carves frames from chunks, so that a flood of them costs few allocations. A chunk is about as large as what the
// burst has brought so far: ten thousand quiet sessions hold little, and a lone frame pins little.
type slab struct {
	free []byte // rest of the current chunk: length 0, its capacity is what is left
	next int    // size of the chunk after it
	last time.Time
}

// open returns an empty buffer with some room to read a message into; now is when it arrives.
func (s *slab) open(now time.Time) []byte {
	if now.Sub(s.last) > burstGap {
		s.free, s.next = nil, smallChunk
	}
	s.last = now
	if cap(s.free) == 0 {
		s.free = s.chunk(0)
	}
	return s.free
}

// grow moves buf, which is full and shorter than limit, to a buffer with more room, at most for limit bytes in all or
// for what a chunk holds.
func (s *slab) grow(buf []byte, limit int) []byte {
	if size := 2 * len(buf); size > largeChunk {
		return append(make([]byte, 0, min(size, limit)), buf...)
	}
	s.free = s.chunk(2 * len(buf))
	return append(s.free, buf...)
}

// take makes the bytes of buf, which open or grow returned, a frame's own. A buffer that is not taken is used again.
func (s *slab) take(buf []byte) []byte {
	if cap(buf) > largeChunk {
		// A large message outgrew the chunks: give back what doubling left over.
		return append(make([]byte, 0, len(buf)), buf...)
	}
	s.free = buf[len(buf):len(buf):cap(buf)]
	return slices.Clip(buf)
}

func (s *slab) chunk(atLeast int) []byte {
	size := max(s.next, atLeast)
	s.next = min(2*size, largeChunk)
	return make([]byte, 0, size)
}
