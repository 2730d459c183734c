package simulator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// changes wakes whoever waits for something to happen, at no cost when nobody does.
type changes struct {
	waiting atomic.Int64
	mu      sync.Mutex
	next    chan struct{}
}

func (c *changes) announce() {
	if c.waiting.Load() == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != nil {
		close(c.next)
		c.next = nil
	}
}

func (c *changes) coming() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = make(chan struct{})
	}
	return c.next
}

// Await returns once the condition holds, or with the context's error. The condition is asked whenever a count
// changes, so it must be quick.
func (n *NS) Await(ctx context.Context, condition func(Stats) bool) error {
	n.changes.waiting.Add(1)
	defer n.changes.waiting.Add(-1)
	for {
		coming := n.changes.coming()
		stats := n.Stats()
		if condition(stats) {
			return nil
		}
		select {
		case <-coming:
		case <-ctx.Done():
			return fmt.Errorf("await the simulated Network Server, which stands at %+v: %w", stats, ctx.Err())
		}
	}
}

// Stats returns the counts as they stand.
func (n *NS) Stats() Stats {
	n.mu.Lock()
	open := len(n.streams)
	n.mu.Unlock()
	c := &n.counters
	return Stats{
		Generated: c.generated.Load(), Sent: c.sent.Load(), Replayed: c.replayed.Load(), Repeated: c.repeated.Load(),
		Streams: open, Connects: c.connects.Load(), Refused: c.refused.Load(), Received: c.received.Load(),
		Accepted: c.accepted.Load(), Queued: c.queued.Load(), Late: c.late.Load(), Bad: c.bad.Load(),
		Unsolicited: c.unsolicited.Load(), Transmitted: c.transmitted.Load(),
	}
}

// Messages returns the recorded messages in the order of their generation; see [Config.Record].
func (n *NS) Messages() []Message {
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	return n.ledger.messages.list()
}

// MessagesFor returns those of [NS.Messages] that a stream with the filter is owed. Answers to a stream's own
// mistakes are not among them, nor are the warnings that a sender gets whatever its filter says. The error is that of
// an unknown filter.
func (n *NS) MessagesFor(filter string) ([]Message, error) {
	s, ok := n.filters[filter]
	if !ok {
		return nil, fmt.Errorf("list messages for filter %q: it is not configured", filter)
	}
	q := &query{sieve: s}
	return slices.DeleteFunc(n.Messages(), func(m Message) bool {
		return m.Private != 0 || len(expand(m.facts, q, n.gen.gatewayOf)) == 0
	}), nil
}

// Sent returns the recorded frames in the order in which they were handed to sockets; see [Config.Record].
func (n *NS) Sent() []Sent {
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	return n.ledger.sent.list()
}

// Received returns what clients sent, in order, with the NS's judgement: the last 10 000.
func (n *NS) Received() []Received {
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	return n.ledger.received.list()
}

// Streams returns every connection, open or ended, in the order of connects: the last 10 000.
func (n *NS) Streams() []StreamInfo {
	open := make(map[uint64]uint64)
	for _, s := range n.chosen(nil) {
		open[s.id] = s.sent.Load()
	}
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	var out []StreamInfo
	for _, i := range n.ledger.streams.list() {
		info := *i
		if sent, ok := open[info.ID]; ok && info.Ended.IsZero() {
			info.Sent = sent
		}
		out = append(out, info)
	}
	slices.SortFunc(out, func(a, b StreamInfo) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
