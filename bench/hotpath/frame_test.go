package hotpath

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// frameSize is the size in bytes that the project's figures are for.
const frameSize = 560

// someFrames makes n different frames.
func someFrames(tb testing.TB, n int) []dataapi.Frame {
	tb.Helper()
	ns, err := simulator.New(simulator.Config{Devices: 100, Flood: simulator.Flood{Size: frameSize}})
	if err != nil {
		tb.Fatal(err)
	}
	frames := make([]dataapi.Frame, n)
	for i := range frames {
		raw := ns.FloodFrame(uint64(i) + 1)
		envelope, err := dataapi.Scan(raw)
		if err != nil {
			tb.Fatal(err)
		}
		frames[i] = dataapi.Frame{Raw: raw, Envelope: envelope}
	}
	return frames
}

// uplink makes one of a size, at least 200 bytes. The order of an object's members is the sender's choice: meta, which
// everything needs, comes first or last.
func uplink(tb testing.TB, size int, metaLast bool) []byte {
	tb.Helper()
	meta := `"meta":{"device":"70b3d57ed0000001","network":"000000000000000000000000","time":1795476618.632578`
	if size >= frameSize { // what makes a message as long as most are
		meta += `,"application":"70b3d57ed0000002","device_addr":"0a5f21c7","gateway":"70b3d57ed0000003",` +
			`"packet_hash":"d4735e3a265e16eee03f59718b9b5d03","packet_id":"6b86b273ff34fce19d6b804eff5a3f57"`
	}
	parts := []string{`"type":"uplink"`, meta + `}`, `"params":{"port":1,"counter_up":7,"payload":"%s"}`}
	if metaLast {
		parts[1], parts[2] = parts[2], parts[1]
	}
	format := "{" + strings.Join(parts, ",") + "}"
	raw := fmt.Sprintf(format, strings.Repeat("A", max(0, size-len(format)+len("%s"))))
	if len(raw) != size {
		tb.Fatalf("it has %d bytes, want %d", len(raw), size)
	}
	return []byte(raw)
}

// reportRate adds what a step could do a second to what the benchmark reports.
func reportRate(b *testing.B) {
	b.Helper()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}
