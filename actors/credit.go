package actors

import (
	"context"
	"sync"
)

// credit is the number of frames that one side has allowed the other to send. Adding is for any goroutine,
// taking for one.
type credit struct {
	mu   sync.Mutex
	n    int
	more chan struct{} // holds a token when n has grown
}

func newCredit(n int) *credit {
	return &credit{n: n, more: make(chan struct{}, 1)}
}

func (c *credit) add(n int) {
	if n <= 0 {
		return
	}
	c.mu.Lock()
	c.n += n
	c.mu.Unlock()
	select {
	case c.more <- struct{}{}:
	default:
	}
}

// take waits for credit and takes all of it. It returns 0 when ctx has ended.
func (c *credit) take(ctx context.Context) int {
	for ctx.Err() == nil {
		c.mu.Lock()
		n := c.n
		c.n = 0
		c.mu.Unlock()
		if n > 0 {
			return n
		}
		select {
		case <-ctx.Done():
		case <-c.more:
		}
	}
	return 0
}
