package hotpath

import (
	"context"
	"fmt"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// credit is how many frames the reader asks for at once: half a window, as the publisher does.
const credit = 50

func openStore(tb testing.TB) *buffer.Store {
	tb.Helper()
	store, err := buffer.Open(tb.Context(), testkit.StartNATS(tb).JetStream, buffer.Config{Replicas: 1})
	if err != nil {
		tb.Fatal(err)
	}
	return store
}

// openLog opens a log of its own for frames that are stored so many at a time.
func openLog(tb testing.TB, store *buffer.Store, size int) *buffer.Log {
	tb.Helper()
	log, err := store.OpenLog(tb.Context(), fmt.Sprintf("bench-%d", size), 0)
	if err != nil {
		tb.Fatal(err)
	}
	return log
}

// reader is the reader of a feed, at its place.
type reader struct {
	feed *buffer.Feed
	pos  buffer.Position
}

// next takes the next frames.
func (r *reader) next(ctx context.Context) (frames int, err error) {
	batch, err := r.feed.Next(ctx, r.pos, credit)
	if err == nil {
		r.pos = batch.At(batch.Last())
	}
	return len(batch.Frames), err
}

// readMemory makes the reader of a feed that keeps what it is handed for it. Nothing is stored: that is BenchmarkAppend's.
func readMemory(tb testing.TB, log *buffer.Log) *reader {
	tb.Helper()
	r := &reader{feed: buffer.NewFeed(log)}
	ended, cancel := context.WithCancel(tb.Context())
	cancel()
	if _, err := r.feed.Next(ended, r.pos, credit); err == nil { // the feed keeps nothing before it has a reader
		tb.Fatal("there is a frame before the first")
	}
	return r
}

// handOn hands frames to the reader, who takes them at once.
func (r *reader) handOn(ctx context.Context, frames []dataapi.Frame) error {
	first := r.pos.Number + 1
	r.feed.Stored(buffer.Batch{First: first, Seq: first, Frames: frames})
	for last := first + uint64(len(frames)) - 1; r.pos.Number < last; {
		if _, err := r.next(ctx); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkFeedMemory hands frames to a reader that keeps up.
func BenchmarkFeedMemory(b *testing.B) {
	store := openStore(b)
	for _, size := range []int{1, 10, 100} {
		log, frames := openLog(b, store, size), someFrames(b, size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			r := readMemory(b, log)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += size {
				if err := r.handOn(b.Context(), frames); err != nil {
					b.Fatal(err)
				}
			}
			reportRate(b)
		})
	}
}

// readStream makes a reader that is at the beginning of a log with that many frames, stored so many at a time.
func readStream(tb testing.TB, store *buffer.Store, stored uint64, size int) *reader {
	tb.Helper()
	log, frames := openLog(tb, store, size), someFrames(tb, size)
	for log.Last() < stored {
		if _, err := log.Append(tb.Context(), frames); err != nil {
			tb.Fatal(err)
		}
	}
	return &reader{feed: buffer.NewFeed(log)}
}

// BenchmarkFeedStream hands frames to a reader that is behind, from messages of several sizes: the log from one
// end to the other, over and over.
func BenchmarkFeedStream(b *testing.B) {
	const stored = 10_000
	store := openStore(b)
	for _, size := range []int{1, 10, 100, 512} {
		r := readStream(b, store, stored, size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; {
				frames, err := r.next(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				n += frames
				if r.pos.Number >= stored {
					r.pos = buffer.Position{}
				}
			}
			reportRate(b)
		})
	}
}
