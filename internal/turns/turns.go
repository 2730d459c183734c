// Package turns has many take turns at what only few do at once. Ten thousand connections that all have something to do
// at the same moment would hold what they work on in memory, all of them, and fill the scheduler's queue: a goroutine
// with a deadline would wait behind thousands without one.
package turns

import "context"

// Turns lets a number have their turn at once; the others wait, the first to come first. It is safe for concurrent use.
type Turns chan struct{}

// New returns turns of so many at once.
func New(atOnce int) Turns { return make(Turns, atOnce) }

// Take waits for a turn, which Leave ends. The error is ctx's cause if it ends before.
func (t Turns) Take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	default:
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Leave ends a turn.
func (t Turns) Leave() { <-t }
