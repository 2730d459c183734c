package messages

import "github.com/lorry-mqtt/lorry/internal/buffer"

// StartDelivery has the topic-router send the publisher every frame behind a position, in order. It ends the
// run before; a FramesRouted of another run than the last is out of date.
type StartDelivery struct {
	Run   uint64
	After buffer.Position
	// Credit is how many frames may be sent until GrantCredit allows more: nobody sends what was not asked for,
	// so what lies in mailboxes is bounded.
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
	Run    uint64
	Batch  buffer.Batch
	Topics []string
}
