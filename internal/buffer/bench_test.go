package buffer_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// benchFrames makes n frames of 560 bytes.
func benchFrames(b *testing.B, n int) []dataapi.Frame {
	b.Helper()
	frames := uplinks(b, 1, n)
	for i := range frames {
		raw := bytes.TrimSuffix(frames[i].Raw, []byte("}"))
		raw = append(raw, `,"payload":"`...)
		raw = append(raw, bytes.Repeat([]byte("A"), 560-len(raw)-2)...)
		raw = append(raw, `"}`...)
		frames[i].Raw = raw
	}
	return frames
}

func benchLog(b *testing.B) *buffer.Log {
	b.Helper()
	n := testkit.StartNATS(b)
	s, err := buffer.Open(b.Context(), n.JetStream, buffer.Config{Replicas: 1})
	if err != nil {
		b.Fatal(err)
	}
	l, err := s.OpenLog(b.Context(), "acme", 0)
	if err != nil {
		b.Fatal(err)
	}
	return l
}

// BenchmarkAppend stores frames in batches of several sizes; ns/op is for one frame.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 10, 100, 512} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			l, frames := benchLog(b), benchFrames(b, size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Append(b.Context(), frames); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "frames/s")
		})
	}
}

// BenchmarkReadAfter reads a stored log from its beginning.
func BenchmarkReadAfter(b *testing.B) {
	for _, size := range []int{1, 100, 400} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			l, frames := benchLog(b), benchFrames(b, size)
			for l.Last() < 100_000 {
				if _, err := l.Append(b.Context(), frames); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			read := 0
			var pos buffer.Position
			for b.Loop() {
				batches, err := l.ReadAfter(b.Context(), pos)
				if err != nil {
					b.Fatal(err)
				}
				for _, batch := range batches {
					pos = batch.At(batch.Last())
					read += len(batch.Frames)
				}
				if pos.Number == l.Last() {
					pos = buffer.Position{}
				}
			}
			b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "frames/s")
		})
	}
}
