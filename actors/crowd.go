package actors

import (
	"runtime"
	"sync"
)

// inFlightPerCPU is how many publishes may be unacknowledged in all, for each CPU. A core publishes some 20 000 frames/s:
// what is more than it can do in a fraction of a second only waits, and a PUBACK that waits for long is taken for
// missing. A thousand connections that filled their windows at once lost their sessions that way, one and all.
const inFlightPerCPU = 1024

// wholeTurn is how many publishes a publisher gets in one go when others wait. To publish frames one by one, each in its own
// write and with its own round through the tree, takes twice the CPU time for each.
const wholeTurn = 32

// crowd is all publishers of a node, which share what may be in flight. Each that has something to publish may have as
// much of it as the others, up to its own window. Where that is less than a turn, they take turns: the first to come gets a
// whole one first, and comes again when all of it is acknowledged.
type crowd struct {
	most int

	mu       sync.Mutex
	inFlight int // with the places that are held
	atWork   int
	waiting  []*member // for their turn, having nothing in flight; the first to come first
}

func newCrowd() *crowd { return &crowd{most: inFlightPerCPU * runtime.GOMAXPROCS(0)} }

// member is one publisher's part in it.
type member struct {
	crowd *crowd
	wake  func() // tells the publisher that it is its turn; it must not block

	inFlight int
	held     int // places that are its own, too, until it notes what it has made of them
	atWork   bool
	waiting  bool
	wants    int // places, when it waits
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
	woken := c.next()
	c.mu.Unlock()
	for _, other := range woken {
		other.wake()
	}
}

// next holds places for those who wait, as many as there are turns free.
func (c *crowd) next() (woken []*member) {
	for len(c.waiting) > 0 {
		first := c.waiting[0]
		if first.waiting && first.wants > c.most-c.inFlight {
			break
		}
		c.waiting[0] = nil
		c.waiting = c.waiting[1:]
		if first.waiting {
			first.waiting, first.held = false, first.wants
			c.inFlight += first.wants
			woken = append(woken, first)
		}
	}
	return woken
}

// take returns how many of n more publishes may be in flight now, and holds places for them until the next note. If there
// is none for a publisher that has nothing in flight, and so no PUBACK to go on with, it is woken when it is its turn.
func (m *member) take(n int) int {
	c := m.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	share := max(min(wholeTurn, c.most), c.most/max(1, c.atWork))
	granted := max(0, min(n, share-m.inFlight, c.most-c.inFlight))
	switch {
	case m.held > 0: // it is its turn
		granted = min(n, m.held)
	case m.inFlight > 0 && len(c.waiting) > 0:
		granted = 0
	case m.inFlight == 0 && (len(c.waiting) > 0 || granted < min(n, wholeTurn, c.most)):
		granted = 0
		if !m.waiting {
			m.waiting, m.wants = true, min(n, wholeTurn, c.most)
			c.waiting = append(c.waiting, m)
		}
	}
	c.inFlight += granted - m.held
	m.held = granted
	return granted
}
