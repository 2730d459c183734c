package hotpath

import (
	"testing"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// frameSize is the size in bytes that the project's figures are for.
const frameSize = 560

// someFrames makes n different frames.
func someFrames(b *testing.B, n int) []dataapi.Frame {
	b.Helper()
	ns, err := simulator.New(simulator.Config{Devices: 100, Flood: simulator.Flood{Size: frameSize}})
	if err != nil {
		b.Fatal(err)
	}
	frames := make([]dataapi.Frame, n)
	for i := range frames {
		raw := ns.FloodFrame(uint64(i) + 1)
		envelope, err := dataapi.Scan(raw)
		if err != nil {
			b.Fatal(err)
		}
		frames[i] = dataapi.Frame{Raw: raw, Envelope: envelope}
	}
	return frames
}

// reportRate adds what a step could do a second to what the benchmark reports.
func reportRate(b *testing.B) {
	b.Helper()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}
