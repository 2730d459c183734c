package hotpath

import (
	"context"
	"fmt"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// credit is how many frames the reader asks for at once: half a window, as the publisher does.
const credit = 50

func openLog(b *testing.B) *buffer.Log {
	b.Helper()
	store, err := buffer.Open(b.Context(), testkit.StartNATS(b).JetStream, buffer.Config{Replicas: 1})
	if err != nil {
		b.Fatal(err)
	}
	log, err := store.OpenLog(b.Context(), "bench", 0)
	if err != nil {
		b.Fatal(err)
	}
	return log
}

// BenchmarkFeedMemory hands frames to a reader that keeps up. Nothing is stored: that is BenchmarkAppend's.
func BenchmarkFeedMemory(b *testing.B) {
	for _, size := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			feed, frames := buffer.NewFeed(openLog(b)), someFrames(b, size)
			var pos buffer.Position
			ended, cancel := context.WithCancel(b.Context())
			cancel()
			if _, err := feed.Next(ended, pos, credit); err == nil { // the feed keeps nothing before it has a reader
				b.Fatal("there is a frame before the first")
			}
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += size {
				feed.Stored(buffer.Batch{First: pos.Number + 1, Seq: pos.Number + 1, Frames: frames})
				for last := pos.Number + uint64(size); pos.Number < last; {
					batch, err := feed.Next(b.Context(), pos, credit)
					if err != nil {
						b.Fatal(err)
					}
					pos = batch.At(batch.Last())
				}
			}
			reportRate(b)
		})
	}
}

// BenchmarkFeedStream hands frames to a reader that is behind, from messages of several sizes.
func BenchmarkFeedStream(b *testing.B) {
	const stored = 100_000
	for _, size := range []int{1, 10, 100, 512} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			log, frames := openLog(b), someFrames(b, size)
			for log.Last() < stored {
				if _, err := log.Append(b.Context(), frames); err != nil {
					b.Fatal(err)
				}
			}
			feed := buffer.NewFeed(log)
			var pos buffer.Position
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; {
				batch, err := feed.Next(b.Context(), pos, credit)
				if err != nil {
					b.Fatal(err)
				}
				n += len(batch.Frames)
				if pos = batch.At(batch.Last()); pos.Number == log.Last() {
					pos = buffer.Position{}
				}
			}
			reportRate(b)
		})
	}
}
