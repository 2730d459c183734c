// Package backoff decides how long to wait before the next attempt: from Min, doubling with each failure, to
// Max, and back to Min only after an attempt has proved itself by lasting.
package backoff

import (
	"math/rand/v2"
	"time"
)

// The schedule that every end of a connection follows: reconnect after 0.1 s, doubling with each failure, at
// most 60 s.
const (
	DefaultMin    = 100 * time.Millisecond
	DefaultMax    = 60 * time.Second
	DefaultProof  = 5 * time.Second
	DefaultJitter = 0.1
)

// Backoff counts failures and turns them into delays. The zero value follows the default schedule without
// jitter. It is not safe for concurrent use: its owner is one actor or one goroutine.
type Backoff struct {
	// Min is the delay after the first failure, Max the longest one. Zero means the default.
	Min, Max time.Duration
	// Proof is how long an attempt must last before its end counts as a first failure again. Zero means the
	// default.
	Proof time.Duration
	// Jitter is the largest share by which a delay is lengthened at random, so that many connections to one
	// broker do not come back in step. It never takes a delay beyond Max.
	Jitter float64

	failures int
}

// New returns the default schedule with its jitter.
func New() *Backoff { return &Backoff{Jitter: DefaultJitter} }

// NoSooner returns the default schedule with its jitter, but for delays that are never shorter than floor.
func NoSooner(floor time.Duration) *Backoff {
	b := New()
	b.Min = max(DefaultMin, floor)
	return b
}

// Failed notes that an attempt ended after it had been up for the given time (zero if it never came up) and
// returns how long to wait before the next.
func (b *Backoff) Failed(up time.Duration) time.Duration {
	if up >= or(b.Proof, DefaultProof) {
		b.failures = 0
	}
	low, high := or(b.Min, DefaultMin), or(b.Max, DefaultMax)
	delay := low
	for i := 0; i < b.failures && delay < high; i++ {
		delay *= 2
	}
	b.failures++
	if b.Jitter > 0 {
		delay += time.Duration(rand.Float64() * b.Jitter * float64(delay)) //nolint:gosec // spreads load, guards nothing
	}
	return min(delay, high)
}

// Attempt is the number of failures since an attempt last proved itself: 0 while all is well.
func (b *Backoff) Attempt() int { return b.failures }

// Reset forgets all failures.
func (b *Backoff) Reset() { b.failures = 0 }

func or(d, fallback time.Duration) time.Duration {
	if d <= 0 {
		return fallback
	}
	return d
}
