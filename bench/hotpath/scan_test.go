package hotpath

import (
	"testing"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// scans are the frames that the scanner is measured with.
func scans(tb testing.TB) []namedFrame {
	tb.Helper()
	return []namedFrame{
		{"200B", uplink(tb, 200, false)}, {"560B", uplink(tb, 560, false)}, {"4kB", uplink(tb, 4096, false)},
		{"560B-meta-last", uplink(tb, 560, true)},
	}
}

type namedFrame struct {
	name string
	raw  []byte
}

// BenchmarkScan reads a frame's envelope.
func BenchmarkScan(b *testing.B) {
	for _, frame := range scans(b) {
		b.Run(frame.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := dataapi.Scan(frame.raw); err != nil {
					b.Fatal(err)
				}
			}
			reportRate(b)
		})
	}
}
