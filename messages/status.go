package messages

import (
	"time"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

// BrokerChanged tells a connection that its MQTT end is in another state, or failed once more.
type BrokerChanged struct {
	State   telemetry.State // connecting, connected, backoff
	Attempt int             // failures in a row
	RetryAt time.Time       // of the next attempt, in backoff
	Err     error           // why it is in backoff
}

// SubscriptionChanged tells a connection that the broker has granted topic_down (Err is nil) or refused it.
type SubscriptionChanged struct{ Err error }

// SourceState is what a connection's Network Server end is doing.
type SourceState string

// The states of a source.
const (
	SourceConnecting SourceState = "connecting"
	SourceStreaming  SourceState = "streaming"
	SourceReplaying  SourceState = "replaying" // streaming, with the history of an absence among the live frames
	SourceBackoff    SourceState = "backoff"
)

// SourceChanged tells a connection that its Network Server end is in another state, or failed once more.
type SourceChanged struct {
	State   SourceState
	RetryAt time.Time
	Err     error
}

// BufferChanged tells a connection that its buffer cannot be written or read (Err), or can be again (nil).
type BufferChanged struct {
	Child string // whose work it is that fails
	Err   error
}

// BufferFenced tells a connection that somebody else writes its buffer.
type BufferFenced struct{ Err error }

// FramesEvicted tells a connection that the buffer's limits removed frames before they were published.
type FramesEvicted struct {
	Lane        Lane // in whose numbers: LaneMain or LaneAside
	First, Last uint64
}

// FetchMissed has the ns-reader ask the Network Server again for what is owed: the buffer's limits removed some of
// it. Several in a row may be answered by one new session.
type FetchMissed struct{}

// GapsChanged tells a connection of which stretches of time frames are missing.
type GapsChanged struct {
	All     []buffer.Gap      // the newest last
	Found   []buffer.Gap      // those that are new
	Seconds map[string]uint64 // by how much they have grown, by reason
}

// HistoryChanged tells a connection that the REST history cannot be read (Err), or was read (nil).
type HistoryChanged struct{ Err error }

// FloorMoved tells a connection how far its frames are settled.
type FloorMoved struct{ Cursor buffer.Cursor }

// FrameParked tells a connection that a frame was set apart because the broker would not take it.
type FrameParked struct{ Frame buffer.ParkedFrame }

// GetStatus asks a connection for its Status.
type GetStatus struct{}

// Status is what a connection says of itself.
type Status struct {
	ID       string             `json:"id"`
	State    telemetry.State    `json:"state"`
	Since    time.Time          `json:"since"`
	Node     string             `json:"node"`
	Broker   BrokerStatus       `json:"broker"`
	Source   SourceStatus       `json:"source"`
	Lag      Lag                `json:"lag"`
	InFlight int64              `json:"in_flight"`
	Gaps     []buffer.Gap       `json:"gaps"`             // of the frames received; the newest last, at most 16
	Replay   *Replay            `json:"replay,omitempty"` // under way on request
	Counters telemetry.Snapshot `json:"counters"`
}

// BrokerStatus is the MQTT end's part of a Status.
type BrokerStatus struct {
	State     telemetry.State `json:"state"`
	Since     time.Time       `json:"since"`
	Attempt   int             `json:"attempt"`
	RetryAt   *time.Time      `json:"retry_at"`
	LastError string          `json:"last_error"`
}

// SourceStatus is the Network Server end's part of a Status.
type SourceStatus struct {
	State     SourceState `json:"state"`
	Since     time.Time   `json:"since"`
	LastError string      `json:"last_error"`
}

// Replay is how far a stretch of time is that is delivered again on request.
type Replay struct {
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Frames    uint64    `json:"frames"`    // in all; 0 while they are being counted
	Delivered uint64    `json:"delivered"` // of them
}

// Lag is what is stored and not known to be acknowledged.
type Lag struct {
	Frames  int64   `json:"frames"`
	Seconds float64 `json:"seconds"` // age of the oldest of them
}
