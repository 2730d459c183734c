package testkit

import (
	"sync"
	"testing"
	"time"
)

// Patience bounds every wait of this package for something that is expected to happen. A test that runs into it has
// failed: it is long because machines are slow, not because anything takes that long.
const Patience = 20 * time.Second

// signal lets any number of waiters see every change of a state. The zero value is ready for use.
type signal struct {
	mu      sync.Mutex
	changed chan struct{}
}

// raise wakes all waiters. Call it after the state has changed.
func (s *signal) raise() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// next returns a channel that is closed at the next change.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// await returns when condition holds, which it asks after each change. It fails the test, naming what was awaited,
// after [Patience].
func (s *signal) await(t testing.TB, what string, condition func() bool) {
	t.Helper()
	timeout := time.NewTimer(Patience)
	defer timeout.Stop()
	for {
		changed := s.next() // before the condition is asked: a change in between closes it
		if condition() {
			return
		}
		select {
		case <-changed:
		case <-timeout.C:
			t.Fatalf("testkit: waited %v in vain for %s", Patience, what)
		}
	}
}
