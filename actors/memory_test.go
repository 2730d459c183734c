package actors

import (
	"runtime"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

// liveHeap is how many bytes are in use after everything that is not has been freed.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers and pools have let go of in the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// However much comes while the broker is away, it lies on the disk. No other test runs meanwhile; the NATS server,
// which is in this process, lets its own cache of what was written go after two seconds.
func TestMemoryIsBoundedWhileTheBrokerIsAway(t *testing.T) {
	const (
		frames = 50_000
		size   = 560
		bound  = 8 << 20 // of 28 MB: the tail in memory, buffers, what the libraries keep
	)
	r := newRouteAlone(t, func(p *routeParts) {
		p.ns.Flood, p.ns.Record = simulator.Flood{Size: size, Frames: frames}, 0
	})
	r.broker.Stop()
	before := liveHeap()
	r.put(r.spec("acme", nil))
	r.awaitStatus("acme", func(s messages.Status) bool { return s.Counters.Stored == frames && s.State == "backoff" })
	deadline := time.After(testkit.Patience)
	for {
		grown := liveHeap() - before
		if grown <= bound {
			t.Logf("the heap grew by %d bytes for %d bytes of frames", grown, frames*size)
			return
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-deadline:
			t.Fatalf("the heap grew by %d bytes for %d bytes of frames, the bound is %d", grown, frames*size, bound)
		}
	}
}
