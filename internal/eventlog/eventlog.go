// Package eventlog keeps the last events of each connection in memory, for those who ask what happened to it, and
// passes new ones on to those who follow. Nobody who adds an event waits for anybody who reads.
package eventlog

import (
	"slices"
	"sync"
	"time"
)

// Kept is how many events of a connection are remembered.
const Kept = 200

// pending is how many events may wait for a follower; one that is further behind is dropped.
const pending = 64

// Kind is what an event is about.
type Kind string

// The kinds of event.
const (
	StateChanged     Kind = "state_changed"     // of the connection as a whole
	BrokerFailed     Kind = "broker_failed"     // a session with the broker ended or could not begin
	Subscribed       Kind = "subscribed"        // to topic_down
	SubscribeFailed  Kind = "subscribe_failed"  // downlinks do not arrive
	SourceChanged    Kind = "source_changed"    // frames are read, or are read again
	SourceFailed     Kind = "source_failed"     // a session with the Network Server ended or could not begin
	BufferFailed     Kind = "buffer_failed"     // JetStream refuses to store or to read
	BufferRecovered  Kind = "buffer_recovered"  // and does so no longer
	FramesEvicted    Kind = "frames_evicted"    // lost to the buffer's limits
	FramesMissing    Kind = "frames_missing"    // of a stretch of time, which the Network Server could not give any more
	HistoryFailed    Kind = "history_failed"    // the REST history could not be read
	FramesDiscarded  Kind = "frames_discarded"  // messages of the Network Server that are no frames
	FrameParked      Kind = "frame_parked"      // the broker would not take it
	EchoChanged      Kind = "echo"              // the Network Server's own messages come back on topic_down, or do so no longer
	DownlinksDropped Kind = "downlinks_dropped" // messages on topic_down that were not forwarded
	Replayed         Kind = "replayed"          // a stretch of time on request: begun, over, or failed
	Requested        Kind = "requested"         // by the API: created, updated, paused, resumed, restarted, replayed
)

// Level is how bad an event is.
type Level string

// The levels.
const (
	Info  Level = "info"
	Warn  Level = "warn"
	Error Level = "error"
)

// Event is something that happened to a connection. What does not apply is empty.
type Event struct {
	Number  uint64    `json:"number" doc:"Counted from 1 since the node began"`
	Time    time.Time `json:"time"`
	Level   Level     `json:"level" enum:"info,warn,error"`
	Kind    Kind      `json:"event" doc:"What it is about, such as state_changed"`
	Message string    `json:"message" doc:"The same in words"`
	State   string    `json:"state,omitempty" doc:"The state that was entered"`
	Error   string    `json:"error,omitempty" doc:"What went wrong"`
	Reason  string    `json:"reason,omitempty" doc:"Why something was discarded"`
	Count   uint64    `json:"count,omitempty" doc:"How many frames or downlinks"`
}

// Log holds the events of all connections. Its methods may be called by any goroutine and never wait for a reader.
type Log struct {
	mu    sync.Mutex
	rings map[string]*ring
}

// New makes an empty log.
func New() *Log { return &Log{rings: map[string]*ring{}} }

// ring is the last events of one connection, and who follows it.
type ring struct {
	number    uint64
	events    []Event // oldest first, but for the first begin, which are the newest
	begin     int
	followers map[chan Event]struct{}
}

func (l *Log) ring(connection string) *ring {
	r := l.rings[connection]
	if r == nil {
		r = &ring{followers: map[chan Event]struct{}{}}
		l.rings[connection] = r
	}
	return r
}

// Add records an event of a connection; number and, unless it has one, time are given here.
func (l *Log) Add(connection string, e Event) {
	if e.Time.IsZero() {
		e.Time = time.Now().UTC()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.ring(connection)
	r.number++
	e.Number = r.number
	if len(r.events) < Kept {
		r.events = append(r.events, e)
	} else {
		r.events[r.begin] = e
		r.begin = (r.begin + 1) % Kept
	}
	for follower := range r.followers {
		select {
		case follower <- e:
		default: // too slow
			delete(r.followers, follower)
			close(follower)
		}
	}
}

// Last returns what is remembered of a connection's events, the oldest first.
func (l *Log) Last(connection string) []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last(connection)
}

func (l *Log) last(connection string) []Event {
	r := l.rings[connection]
	if r == nil {
		return []Event{}
	}
	return slices.Concat(r.events[r.begin:], r.events[:r.begin])
}

// LastError is the text of the newest event of a connection that has one.
func (l *Log) LastError(connection string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rings[connection]
	if r == nil {
		return ""
	}
	for i := range r.events {
		newest := (r.begin - 1 - i + 2*len(r.events)) % len(r.events)
		if text := r.events[newest].Error; text != "" {
			return text
		}
	}
	return ""
}

// Follow returns what is remembered, and a channel of what comes after it. The channel is closed when its reader is
// too slow, or the connection is forgotten. Call stop when done.
func (l *Log) Follow(connection string) (past []Event, live <-chan Event, stop func()) {
	follower := make(chan Event, pending)
	l.mu.Lock()
	defer l.mu.Unlock()
	past = l.last(connection)
	l.ring(connection).followers[follower] = struct{}{}
	return past, follower, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if r := l.rings[connection]; r != nil {
			delete(r.followers, follower)
		}
	}
}

// Forget drops the events of a connection that was deleted.
func (l *Log) Forget(connection string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.rings[connection]; r != nil {
		for follower := range r.followers {
			close(follower)
		}
		delete(l.rings, connection)
	}
}
