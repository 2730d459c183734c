package messages

import "github.com/lorry-mqtt/lorry/internal/buffer"

// Lane is one of the orders in which frames reach the publisher. The order that is promised holds within a lane.
type Lane int

// The lanes.
const (
	// LaneMain is the connection's log, in the order received.
	LaneMain Lane = iota
	// LaneAhead are frames of the log that cannot wait for their turn: downlink_requests, while the log has a backlog.
	LaneAhead
	// LaneAside is what has left its place in the log: it is delivered when nothing else waits.
	LaneAside
)

// StartDelivery has the topic-router send the publisher every frame behind a position, in order. It ends the
// run before; a FramesRouted of another run than the last is out of date.
type StartDelivery struct {
	Run   uint64
	After buffer.Position // in the log
	Aside buffer.Position // in what is aside
	// Credit is how many frames may be sent until GrantCredit allows more: nobody sends what was not asked for,
	// so what lies in mailboxes is bounded. Frames of LaneAhead need none; they are few.
	Credit int
}

// GrantCredit allows the topic-router to send so many frames more.
type GrantCredit struct {
	Run    uint64
	Frames int
}

// StopDelivery ends a run: there is no session to publish to.
type StopDelivery struct{ Run uint64 }

// FramesRouted brings the publisher frames with the topics that they go to, one for each.
type FramesRouted struct {
	Run     uint64
	Lane    Lane
	Batch   buffer.Batch
	Topics  []string
	Settled []uint64 // frames of the batch that are not to be published: they are aside, or were discarded
}

// RequestsStored tells the topic-router of downlink_requests that were stored, each as a batch of its own.
type RequestsStored struct{ Requests []buffer.Batch }

// ResendParked has the topic-router send a parked frame again. It answers with Done when the frame is on its way and
// no longer parked.
type ResendParked struct{ Seq uint64 }
