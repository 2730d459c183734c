package faultywire

import (
	"context"
	"sync"
)

// Changes lets any number of waiters see every change of a state. The zero value is ready for use.
type Changes struct {
	mu      sync.Mutex
	changed chan struct{}
}

// Raise wakes all waiters. Call it after the state has changed.
func (c *Changes) Raise() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// Next returns a channel that is closed at the next change.
func (c *Changes) Next() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	return c.changed
}

// Await returns nil when condition holds, which it asks after each change, or the cause of ctx's end.
func (c *Changes) Await(ctx context.Context, condition func() bool) error {
	for {
		changed := c.Next() // before the condition is asked: a change in between closes it
		if condition() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
