package soak

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lorry-mqtt/lorry/internal/faultywire"
)

// record is what passed the last wire before one broker: a faultywire.Watcher.
type record struct {
	faultywire.Changes // raised with each message that was acknowledged for the first time

	ledger *ledger
	start  time.Time

	mu        sync.Mutex
	publishes []publish
	awaiting  map[waiter]int // place in publishes
	passed    map[int]int    // by link: PUBACKs
	acked     map[uint32]bool
}

// waiter is a PUBLISH that awaits its PUBACK.
type waiter struct {
	link int
	id   uint16
}

func newRecord(l *ledger) *record {
	return &record{ledger: l, start: l.start, awaiting: map[waiter]int{}, passed: map[int]int{}, acked: map[uint32]bool{}}
}

// Published implements faultywire.Watcher.
func (r *record) Published(link int, p faultywire.Packet) {
	topic, payload, ok := p.Message()
	n, exact := r.ledger.find(payload)
	out := publish{n: n, link: link, at: time.Since(r.start)}
	switch {
	case !ok:
		out.damage = "is no PUBLISH"
	case n > 0 && !exact:
		out.damage = "has other bytes than were sent"
	case n > 0 && topic != r.ledger.topic(n):
		out.damage = fmt.Sprintf("was published to %q instead of %q", topic, r.ledger.topic(n))
	case p.QoS() != 1:
		out.damage = fmt.Sprintf("has QoS %d", p.QoS())
	case p.Retain():
		out.damage = "is to be retained"
	}
	if n == 0 || out.damage != "" {
		out.content = bytes.Clone(payload)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if id, ok := p.ID(); ok {
		r.awaiting[waiter{link, id}] = len(r.publishes)
	}
	r.publishes = append(r.publishes, out)
}

// Acknowledged implements faultywire.Watcher.
func (r *record) Acknowledged(link int, id uint16) {
	r.mu.Lock()
	i, known := r.awaiting[waiter{link, id}]
	first := false
	if known {
		p := &r.publishes[i]
		p.acked = time.Since(r.start)
		first = p.n > 0 && !r.acked[p.n]
		if first {
			r.acked[p.n] = true
		}
	}
	r.mu.Unlock()
	if first {
		r.Raise()
	}
}

// Passed implements faultywire.Watcher.
func (r *record) Passed(link int, id uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := waiter{link, id}
	if i, known := r.awaiting[w]; known {
		r.passed[link]++
		r.publishes[i].passed, r.publishes[i].place = time.Since(r.start), r.passed[link]
		delete(r.awaiting, w) // the identifier is free for another PUBLISH
	}
}

// delivered is how many messages the broker has acknowledged.
func (r *record) delivered() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.acked)
}

func (r *record) all() []publish {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.publishes)
}
