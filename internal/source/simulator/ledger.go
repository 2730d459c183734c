package simulator

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

const (
	maxReceived = 10_000
	maxStreams  = 10_000
)

// Outcome is the NS's judgement of what a client sent.
type Outcome string

// The outcomes. A downlink_response can have any of them, the other types Accepted, Bad and Unsolicited.
const (
	Accepted    Outcome = "accepted"
	Queued      Outcome = "queued"      // late, but queue_if_late: it waits for the device's next downlink_request
	Late        Outcome = "late"        // at or after tx_time: answered by a warning
	Bad         Outcome = "bad"         // of the wrong shape: echoed in an error; or a payload that no device can get
	Unsolicited Outcome = "unsolicited" // no open request or no such device: answered by a warning
)

// Received is one message of a client.
type Received struct {
	Stream           uint64
	At               time.Time // by the NS's clock
	Raw              []byte
	Type             dataapi.Type // empty when it could not be read
	Device, PacketID string
	Outcome          Outcome
	Reason           string // why it was not accepted

	// Of a downlink_response to a known request: when the request was generated, its tx_time, how long after the
	// request it came, and how long before tx_time (negative: after it).
	Requested, TxTime time.Time
	Latency, Margin   time.Duration
}

// Sent is one frame handed to a connection's socket. Whether the client read it is another question.
type Sent struct {
	Stream  uint64
	N       uint64 // of the message; 0: an injected frame
	Copy    int    // which gateway's, from 0
	History bool   // replayed
	Repeat  bool   // the second of two on request
	At      time.Time
	Raw     []byte
}

// Witness is told of every message and of every frame as it happens, for verifiers that see more of them than a ledger
// should hold. Its methods are called by many goroutines, with the NS locked; they must be quick and call no method of
// the NS.
type Witness interface {
	// Generated is called for each message, in their order, before any stream has it.
	Generated(m Message)
	// Sent is called for each frame before it is written, for each stream in order. s.Raw is valid during the call.
	Sent(s Sent)
}

// StreamInfo describes one connection, open or ended.
type StreamInfo struct {
	ID     uint64
	Remote string
	Filter string // its id; empty when the client named none
	Opened time.Time
	Ended  time.Time // zero while it is open
	Reason string    // why it ended
	Sent   uint64    // frames
}

// Stats counts since New.
type Stats struct {
	Generated   uint64 // messages
	Sent        uint64 // frames on all streams, Replayed and Repeated among them
	Replayed    uint64
	Repeated    uint64
	Streams     int    // open now
	Connects    uint64 // streams ever opened
	Refused     uint64 // requests answered by an error
	Received    uint64 // messages of clients, and their outcomes
	Accepted    uint64
	Queued      uint64
	Late        uint64
	Bad         uint64
	Unsolicited uint64
	Transmitted uint64 // downlinks that went to a device on behalf of a client
}

type counters struct {
	generated, sent, replayed, repeated, connects, refused, transmitted atomic.Uint64
	received, accepted, queued, late, bad, unsolicited                  atomic.Uint64
}

func (c *counters) judge(o Outcome) {
	c.received.Add(1)
	map[Outcome]*atomic.Uint64{
		Accepted: &c.accepted, Queued: &c.queued, Late: &c.late, Bad: &c.bad, Unsolicited: &c.unsolicited,
	}[o].Add(1)
}

// ring keeps the last of what it was given.
type ring[T any] struct {
	limit, first int
	all          []T
}

func (r *ring[T]) add(v T) {
	switch {
	case len(r.all) < r.limit:
		r.all = append(r.all, v)
	case r.limit > 0:
		r.all[r.first] = v
		r.first = (r.first + 1) % r.limit
	}
}

func (r *ring[T]) list() []T { return slices.Concat(r.all[r.first:], r.all[:r.first]) }

// ledger is what happened, for verifiers.
type ledger struct {
	mu       sync.Mutex
	messages ring[Message]
	sent     ring[Sent]
	received ring[Received]
	streams  ring[*StreamInfo]
}

func newLedger(record int) ledger {
	return ledger{
		messages: ring[Message]{limit: record}, sent: ring[Sent]{limit: record},
		received: ring[Received]{limit: maxReceived}, streams: ring[*StreamInfo]{limit: maxStreams},
	}
}

func (l *ledger) generated(m Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages.add(m)
}

func (l *ledger) opened(i StreamInfo) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams.add(&i)
}

func (l *ledger) ended(id uint64, reason string, sent uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range l.streams.all {
		if i.ID == id {
			i.Ended, i.Reason, i.Sent = time.Now(), reason, sent
		}
	}
}

func (l *ledger) receivedOne(r Received) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.received.add(r)
}

// attest has the frame recorded and witnessed. Its bytes are the stream's.
func (n *NS) attest(e Sent) {
	if n.cfg.Witness != nil {
		n.cfg.Witness.Sent(e)
	}
	if n.cfg.Record > 0 {
		e.Raw = slices.Clone(e.Raw)
		n.ledger.mu.Lock()
		n.ledger.sent.add(e)
		n.ledger.mu.Unlock()
	}
}

// count enters a frame that is about to be written.
func (n *NS) count(s *stream, it item) {
	n.counters.sent.Add(1)
	if it.history {
		n.counters.replayed.Add(1)
	}
	if it.repeat {
		n.counters.repeated.Add(1)
	}
	if n.cfg.Record > 0 || n.cfg.Witness != nil {
		e := Sent{Stream: s.id, Copy: it.copy, History: it.history, Repeat: it.repeat, At: n.cfg.Now(), Raw: it.raw}
		if it.m != nil {
			e.N, e.Raw = it.m.n, s.scratch
		}
		n.attest(e)
	}
	n.changes.announce()
}
