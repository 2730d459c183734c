package actors

import (
	"testing"
	"testing/synctest"
	"time"
)

// inBubble runs a test on a clock of its own, besides the others.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Parallel()
	synctest.Test(t, f)
}

// quietly is inBubble for a subtest.
func quietly(f func(t *testing.T)) func(t *testing.T) {
	return func(t *testing.T) { inBubble(t, f) }
}

// advance moves the bubble's clock and waits until everything rests again.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
