package soak

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// digest stands for bytes: two that differ do not share it (SHA-256, cut to 128 bits).
type digest [16]byte

func digestOf(b []byte) digest {
	sum := sha256.Sum256(b)
	return digest(sum[:16])
}

// ledger is what the Network Server generated and sent: a simulator.Witness.
type ledger struct {
	start time.Time

	mu       sync.Mutex
	messages []message         // by number, from 1
	sent     []sent            // of all streams
	frames   map[digest]uint32 // exact bytes → number
	contents map[digest]uint32 // what they say, live or replayed → number
}

func newLedger(start time.Time) *ledger {
	return &ledger{start: start, frames: map[digest]uint32{}, contents: map[digest]uint32{}}
}

// Generated implements simulator.Witness.
func (l *ledger) Generated(m simulator.Message) {
	content, err := simulator.Canonical(m.Raw)
	if err != nil {
		panic(fmt.Sprintf("soak: the Network Server generated what is no message: %v", err))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	device := m.Device
	if device == "" {
		device = "{device}" // what a message lacks stays as the template has it
	}
	l.messages = append(l.messages, message{
		kind: m.Type, at: time.Since(l.start), topic: topicRoot + "/" + string(m.Type) + "/" + device, owed: m.Private == 0,
	})
	l.contents[digestOf(content)] = uint32(m.N)
}

// Sent implements simulator.Witness.
func (l *ledger) Sent(s simulator.Sent) {
	d := digestOf(s.Raw)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, sent{n: uint32(s.N), stream: s.Stream, at: time.Since(l.start), history: s.History, repeat: s.Repeat})
	if s.N > 0 {
		l.frames[d] = uint32(s.N)
	}
}

// find returns the number of the message that a payload is, 0 if there is none, and whether the bytes are those of a
// frame that was sent.
func (l *ledger) find(payload []byte) (n uint32, exact bool) {
	d := digestOf(payload)
	l.mu.Lock()
	n, exact = l.frames[d]
	l.mu.Unlock()
	if exact {
		return n, true
	}
	content, err := simulator.Canonical(payload)
	if err != nil {
		return 0, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.contents[digestOf(content)], false
}

// topic is where a message belongs.
func (l *ledger) topic(n uint32) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.messages[n-1].topic
}

// count is how many messages every connection is owed.
func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for i := range l.messages {
		if l.messages[i].owed {
			n++
		}
	}
	return n
}

// of returns every message, and what was sent on the streams of one filter, in the order of connects.
func (l *ledger) of(filter string, streams []simulator.StreamInfo) ([]message, [][]sent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	place := map[uint64]int{}
	for _, s := range streams {
		if s.Filter == filter {
			place[s.ID] = len(place)
		}
	}
	all := make([][]sent, len(place))
	for _, s := range l.sent {
		if i, mine := place[s.stream]; mine {
			all[i] = append(all[i], s)
		}
	}
	return slices.Clone(l.messages), all
}
