package buffer

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// memoryLog is a plain slice of batches in the stream's place; evicted counts the frames that the limits have
// removed from its head.
type memoryLog struct {
	batches []Batch
	last    uint64
	seq     uint64
	reads   int
	fail    error
}

func (m *memoryLog) Last() uint64 { return m.last }

func (m *memoryLog) ReadAfter(_ context.Context, pos Position) (out []Batch, err error) {
	m.reads++
	for _, b := range m.batches {
		if b = b.After(pos.Number); b.Seq >= pos.Seq && len(b.Frames) > 0 && len(out) < 3 {
			out = append(out, b)
		}
	}
	return out, m.fail
}

func (m *memoryLog) append(frames int) Batch {
	m.seq++
	b := Batch{First: m.last + 1, Seq: m.seq}
	for i := range frames {
		b.Frames = append(b.Frames, dataapi.Frame{Raw: fmt.Appendf(nil, "frame %d", b.First+uint64(i))})
	}
	m.last = b.Last()
	m.batches = append(m.batches, b)
	return b
}

// TestFeedAgainstAPlainSlice draws appends, reads, steps back and evictions in any order: the reader sees every
// frame that was not evicted, once for each time it asked, in order.
func TestFeedAgainstAPlainSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := &memoryLog{}
		log.append(rapid.IntRange(1, 5).Draw(t, "there at the start"))
		feed := newFeed(log)
		var pos Position
		evicted := uint64(0)
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) { feed.Stored(log.append(rapid.IntRange(1, 400).Draw(t, "frames"))) },
			"read": func(t *rapid.T) {
				if pos.Number >= log.last {
					t.Skip("nothing to read")
				}
				b, err := feed.Next(t.Context(), pos, rapid.IntRange(1, 300).Draw(t, "limit"))
				if err != nil {
					t.Fatal(err)
				}
				if b.First != pos.Number+1 && (b.First <= pos.Number || pos.Number >= evicted) {
					t.Fatalf("frame %d followed %d with %d evicted", b.First, pos.Number, evicted)
				}
				for i, f := range b.Frames {
					if want := fmt.Sprintf("frame %d", b.First+uint64(i)); string(f.Raw) != want {
						t.Fatalf("read %q, want %q", f.Raw, want)
					}
				}
				pos = b.At(b.Last())
			},
			"go back": func(t *rapid.T) {
				pos = Position{Number: rapid.Uint64Range(0, pos.Number).Draw(t, "to")}
			},
			"evict": func(t *rapid.T) {
				n := rapid.IntRange(0, len(log.batches)-1).Draw(t, "batches")
				if n > 0 {
					evicted = log.batches[n-1].Last()
				}
				kept := log.batches[n:]
				log.batches = append([]Batch(nil), kept...)
			},
			"": func(t *rapid.T) {
				if feed.frames > tailFrames || feed.bytes > tailBytes {
					t.Fatalf("the tail holds %d frames, %d bytes", feed.frames, feed.bytes)
				}
			},
		})
	})
}

func TestAReaderThatKeepsUpNeverReadsTheStream(t *testing.T) {
	log := &memoryLog{}
	synctest.Test(t, func(t *testing.T) {
		feed := newFeed(log)
		got := make(chan uint64)
		go func() {
			var pos Position
			for pos.Number < 100 {
				b, err := feed.Next(t.Context(), pos, 10)
				if err != nil {
					t.Error(err)
				}
				pos = b.At(b.Last())
				got <- pos.Number
			}
		}()
		for n := uint64(1); n <= 100; n++ {
			synctest.Wait()
			feed.Stored(log.append(1))
			if have := <-got; have != n {
				t.Fatalf("read up to %d, want %d", have, n)
			}
		}
	})
	if log.reads > 0 {
		t.Errorf("the stream was read %d times", log.reads)
	}
}

func TestAReaderThatWasBehindComesBackToMemory(t *testing.T) {
	log := &memoryLog{}
	feed := newFeed(log)
	for range 10 * tailFrames / 100 {
		feed.Stored(log.append(100))
	}
	var pos Position
	read := func() {
		t.Helper()
		b, err := feed.Next(t.Context(), pos, 1000)
		if err != nil {
			t.Fatal(err)
		}
		pos = b.At(b.Last())
	}
	for pos.Number < log.last {
		read()
	}
	if log.reads == 0 {
		t.Fatal("a reader that was behind must have read the stream")
	}
	before := log.reads
	for range 20 {
		feed.Stored(log.append(3))
		read()
	}
	if log.reads != before {
		t.Errorf("the stream was read %d times more after the reader had caught up", log.reads-before)
	}
}

func TestNextEndsWithItsContextAndPassesAReadErrorOn(t *testing.T) {
	log := &memoryLog{}
	feed := newFeed(log)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := feed.Next(ctx, Position{}, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	log.fail = errors.New("disk on fire")
	log.append(1)
	behind := newFeed(log)
	if _, err := behind.Next(t.Context(), Position{}, 1); !errors.Is(err, log.fail) {
		t.Errorf("error %v", err)
	}
}
