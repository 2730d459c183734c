package testkit

import (
	"testing"

	"github.com/lorry-mqtt/lorry/internal/faultywire"
)

// Direction is a way through a wire.
type Direction = faultywire.Direction

// The two ways through a wire or a proxy.
const (
	ToBroker = faultywire.ToBroker
	ToServer = faultywire.ToServer
	ToClient = faultywire.ToClient
)

// Wire is a faultywire.Wire of a test's.
type Wire struct {
	*faultywire.Wire
	t testing.TB
}

// NewWire starts a wire to the server at target ("host:port"). It ends with the test, and so do its connections.
func NewWire(t testing.TB, target string) *Wire {
	t.Helper()
	w, err := faultywire.NewWire(target)
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	t.Cleanup(w.Close)
	return &Wire{Wire: w, t: t}
}

// Admit ends [faultywire.Wire.Refuse].
func (w *Wire) Admit() {
	w.t.Helper()
	if err := w.Wire.Admit(); err != nil {
		w.t.Fatalf("testkit: %v", err)
	}
}

// AwaitAccepted waits until at least n connections have been accepted.
func (w *Wire) AwaitAccepted(n int) {
	w.t.Helper()
	await(w.t, &w.Changes, "connections over a wire", func() bool { return w.Accepted() >= n })
}

// AwaitOpen waits until there are exactly n connections.
func (w *Wire) AwaitOpen(n int) {
	w.t.Helper()
	await(w.t, &w.Changes, "connections over a wire to come or go", func() bool { return w.Open() == n })
}

// AwaitBytes waits until at least n bytes have gone through in the direction.
func (w *Wire) AwaitBytes(direction Direction, n int64) {
	w.t.Helper()
	await(w.t, &w.Changes, "bytes over a wire", func() bool { return w.Bytes(direction) >= n })
}
