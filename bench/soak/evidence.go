package soak

import (
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// evidence is all that is known from outside of what went through one connection. Times are since the start.
type evidence struct {
	messages    []message // by number, from 1
	streams     [][]sent  // what the Network Server sent to the connection, by stream in the order of connects
	publishes   []publish // in the order in which they came to the broker
	crashes     []span    // of lorry
	inFlight    int       // the most publishes that ever were without PUBACK
	maxInflight int       // the most that may be
}

// message is one that the Network Server generated.
type message struct {
	kind  dataapi.Type
	at    time.Duration
	topic string // to which it is to be published
	owed  bool   // to the connection
}

// sent is one frame that the Network Server handed to a stream's socket. Whether it was read is another question.
type sent struct {
	n       uint32 // of the message; 0: garbage
	stream  uint64
	at      time.Duration
	history bool
	repeat  bool // the second of two, on request
}

// publish is one PUBLISH that passed the last wire before the broker.
type publish struct {
	n       uint32 // of the message; 0: none that was sent
	link    int
	at      time.Duration
	acked   time.Duration // when the broker sent the PUBACK; 0: never
	passed  time.Duration // when that went on to lorry; 0: never
	place   int           // of that among the PUBACKs that went on over the link, from 1
	damage  string        // what is wrong with it; empty: nothing
	content []byte        // of one that was never sent, and of one that is damaged
}

// span is a stretch of time. What lorry was told of in the span it may have forgotten in the crash at its end.
type span struct{ from, to time.Duration }

func (s span) has(at time.Duration) bool { return s.from <= at && at <= s.to }

func (e *evidence) message(n uint32) *message { return &e.messages[n-1] }

// isRequest tells whether a message is a downlink_request: these have a lane of their own, as they are worth nothing
// later.
func (e *evidence) isRequest(n uint32) bool { return e.message(n).kind == dataapi.DownlinkRequest }
