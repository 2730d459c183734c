package actors

import (
	"runtime"
	"sync"
)

// inFlightPerCPU is how many publishes may be unacknowledged in all, for each CPU. A core publishes some 20 000 frames/s:
// what is more than it can do in a fraction of a second only waits, and a PUBACK that waits for long is taken for
// missing. A thousand connections that filled their windows at once lost their sessions that way, one and all.
const inFlightPerCPU = 1024

// crowd is all publishers of a node. They share what may be in flight: each that has something to publish as much as the
// others, up to its own window; where there are more of them than places, they take turns.
type crowd struct {
	most int

	mu       sync.Mutex
	inFlight int // with the places that are held free for somebody who was woken
	atWork   int
	waiting  []*member // for a place, having none; the first to come first
}

func newCrowd() *crowd { return &crowd{most: inFlightPerCPU * runtime.GOMAXPROCS(0)} }

// member is one publisher's part in it.
type member struct {
	crowd *crowd
	wake  func() // tells the publisher that a place is held for it; it must not block

	inFlight int
	held     int // places that are its own, too, until it notes what it has made of them
	atWork   bool
	waiting  bool
}

// note takes down what the publisher has in flight, and whether it has anything to do. Places that were held for it and
// not taken go to others.
func (m *member) note(inFlight int, atWork bool) {
	c := m.crowd
	c.mu.Lock()
	c.inFlight += inFlight - m.inFlight - m.held
	m.inFlight, m.held = inFlight, 0
	c.atWork += count(atWork) - count(m.atWork)
	m.atWork = atWork
	m.waiting = m.waiting && atWork
	woken := c.giveAway()
	c.mu.Unlock()
	for _, other := range woken {
		other.wake()
	}
}

// giveAway holds the places that are free for those who wait.
func (c *crowd) giveAway() (woken []*member) {
	for len(c.waiting) > 0 && c.inFlight < c.most {
		next := c.waiting[0]
		c.waiting[0] = nil
		c.waiting = c.waiting[1:]
		if next.waiting {
			next.waiting, next.held = false, 1
			c.inFlight++
			woken = append(woken, next)
		}
	}
	return woken
}

// take returns how many of n more publishes may be in flight now, and holds places for them until the next note. If there
// is none and the publisher has nothing in flight, and so no PUBACK to go on with, it is woken when there is a place.
func (m *member) take(n int) int {
	c := m.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	share := max(1, c.most/max(1, c.atWork))
	free := max(0, min(n, share-m.inFlight, c.most-c.inFlight+m.held))
	newcomer := m.inFlight+m.held == 0
	if newcomer && len(c.waiting) > 0 { // others were there before
		free = 0
	}
	if free == 0 && m.inFlight == 0 && !m.waiting {
		m.waiting = true
		c.waiting = append(c.waiting, m)
	}
	c.inFlight += free - m.held
	m.held = free
	return free
}
