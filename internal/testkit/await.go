package testkit

import (
	"context"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/faultywire"
)

// Patience bounds every wait of this package for something that is expected to happen. A test that runs into it has
// failed: it is long because machines are slow, not because anything takes that long.
const Patience = 20 * time.Second

// await returns when condition holds, which it asks after each change. It fails the test, naming what was awaited,
// after [Patience].
func await(t testing.TB, changes *faultywire.Changes, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience) // in Cleanup, too, where the test's context has ended
	defer cancel()
	if changes.Await(ctx, condition) != nil {
		t.Fatalf("testkit: waited %v in vain for %s", Patience, what)
	}
}
