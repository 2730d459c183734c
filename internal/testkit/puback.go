package testkit

import (
	"testing"

	"github.com/lorry-mqtt/lorry/internal/faultywire"
)

// PubackProxy is a faultywire.PubackProxy of a test's.
type PubackProxy struct {
	*faultywire.PubackProxy
	t testing.TB
}

// NewPubackProxy starts a proxy in front of the broker at target ("host:port"). It ends with the test.
func NewPubackProxy(t testing.TB, target string) *PubackProxy {
	t.Helper()
	p, err := faultywire.NewPubackProxy(target, nil)
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	t.Cleanup(p.Close)
	return &PubackProxy{PubackProxy: p, t: t}
}

// AwaitHeld waits until at least n PUBACKs are held back.
func (p *PubackProxy) AwaitHeld(n int) {
	p.t.Helper()
	await(p.t, &p.Changes, "PUBACKs to hold back", func() bool { return p.Held() >= n })
}

// AwaitDropped waits until at least n PUBACKs were lost by [faultywire.PubackProxy.Drop].
func (p *PubackProxy) AwaitDropped(n int) {
	p.t.Helper()
	await(p.t, &p.Changes, "PUBACKs to lose", func() bool { return p.Dropped() >= n })
}

// AwaitInFlight waits until at least n publishes are in flight.
func (p *PubackProxy) AwaitInFlight(n int) {
	p.t.Helper()
	await(p.t, &p.Changes, "publishes in flight", func() bool { return p.InFlight() >= n })
}
