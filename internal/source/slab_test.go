package source

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"
)

// Whatever is read, in whatever pieces, each frame is what was read for it and stays so, and pins little.
func TestSlabKeepsFramesApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 3*largeChunk).Draw(t, "limit")
		s := &webSocket{options: WebSocketOptions{MaxFrameBytes: limit}, link: new(link)}
		now := time.Unix(1, 0)
		var frames, want [][]byte
		for n := range rapid.IntRange(1, 60).Draw(t, "messages") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 200}).Draw(t, "pause")) * time.Millisecond)
			s.link.received = now
			size := rapid.OneOf(rapid.IntRange(0, 2*smallChunk), rapid.IntRange(0, 3*largeChunk),
				rapid.SampledFrom([]int{limit - 1, limit, limit + 1})).Draw(t, "size")
			message := bytes.Repeat([]byte{byte(n)}, size)
			var r io.Reader = bytes.NewReader(message)
			if rapid.Bool().Draw(t, "in halves") {
				r = iotest.HalfReader(r)
			}
			buf, whole, err := s.readUpTo(limit, r)
			if err != nil || whole != (size <= limit) || !bytes.Equal(buf, message[:min(size, limit)]) {
				t.Fatalf("message of %d bytes, limit %d: read %d, whole %t, %v", size, limit, len(buf), whole, err)
			}
			if cap(buf) > max(largeChunk, limit) {
				t.Fatalf("a buffer of %d bytes, limit %d", cap(buf), limit)
			}
			if whole && rapid.Bool().Draw(t, "take") {
				frames, want = append(frames, s.slab.take(buf)), append(want, message)
			}
		}
		for i, f := range frames {
			if !bytes.Equal(f, want[i]) || cap(f) != len(f) {
				t.Fatalf("frame %d of %d bytes, capacity %d, is not the message of %d bytes", i, len(f), cap(f), len(want[i]))
			}
		}
	})
}

// A frame a second must not pin the memory of a flood, and a flood must not cost an allocation a frame.
func TestChunksGrowWithTheBurst(t *testing.T) {
	now := time.Unix(1, 0)
	var s slab
	message := bytes.Repeat([]byte{'x'}, 560)
	take := func() { s.take(append(s.open(now), message...)) }
	room := func() int { return len(message) + cap(s.free) }

	take()
	if room() > smallChunk {
		t.Errorf("a lone frame pins %d bytes", room())
	}
	allocations := testing.AllocsPerRun(10, func() {
		for range 1000 {
			if cap(s.open(now)) < len(message) {
				s.grow(s.free[:cap(s.free)], 1<<20)
			}
			take()
		}
	})
	if allocations > 30 {
		t.Errorf("1000 frames at once took %v allocations", allocations)
	}
	if room() > largeChunk {
		t.Errorf("a frame of the flood pins %d bytes", room())
	}
	now = now.Add(time.Second)
	take()
	if room() > smallChunk {
		t.Errorf("a lone frame after the flood pins %d bytes", room())
	}
}

func TestIntakeForgetsNobodysFrames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := newIntake()
		ended := make(chan struct{})
		close(ended)
		put, taken, held, size := 0, 0, 0, 0
		take := func(*rapid.T) {
			for _, f := range in.take() {
				if f.Envelope.TxTime != float64(taken) {
					t.Fatalf("took frame %v, want %d", f.Envelope.TxTime, taken)
				}
				taken++
			}
			held, size = 0, 0
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				f := &Frame{Raw: make([]byte, rapid.SampledFrom([]int{1, 1000, 1 << 18, 2 << 20}).Draw(t, "size"))}
				f.Envelope.TxTime = float64(put)
				full := held >= MaxBatchFrames || held > 0 && size+len(f.Raw) > MaxBatchBytes
				if got := in.tryPut(f, false); got == full {
					t.Fatalf("put with %d frames, %d bytes held: %t", held, size, got)
				}
				if !full {
					put, held, size = put+1, held+1, size+len(f.Raw)
				}
			},
			"put at the end": func(*rapid.T) {
				f := &Frame{Raw: make([]byte, 1)}
				f.Envelope.TxTime = float64(put)
				in.put(f, ended) // never waits
				put, held, size = put+1, held+1, size+1
			},
			"take": take,
			"":     func(*rapid.T) {},
		})
		take(t)
		if put != taken {
			t.Fatalf("put %d, took %d", put, taken)
		}
	})
}
