package messages

import (
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
)

// PutConnection starts a connection, or replaces one of the same ID; what changes nothing of its work, as a
// description, restarts nothing. The node answers with Done.
type PutConnection struct {
	Spec   connection.Spec
	Paused bool // store frames, publish none
}

// RestartConnection has a connection drain, stop and start anew. The node answers with Done at once.
type RestartConnection struct{ ID string }

// GetConnectionStatus asks a node for the Status of one connection; it is without an ID when there is none.
type GetConnectionStatus struct{ ID string }

// UpdateConnection has a running connection work from another configuration, of which the node knows that it can.
type UpdateConnection struct{ Spec connection.Spec }

// RemoveConnection drains and stops a connection. The node answers with Done when it is gone.
type RemoveConnection struct{ ID string }

// Drain ends a node, a connection or a child in good order: no new frames are taken, PUBACKs are waited for
// until Deadline, the cursor is saved. A node and a connection then stop; a child answers with Drained.
type Drain struct{ Deadline time.Time }

// Drained tells a connection that a child has nothing under way any more.
type Drained struct{ Child string }

// CommandConnection has the node pass a command on to a connection, which answers. The node answers in its place, with
// an error, when the connection does not run.
type CommandConnection struct {
	ID      string
	Command any // ResendParked, ReplayFrames
}

// ReplayFrames has a connection deliver again what is stored of a stretch of time, of the Network Server's clock: from
// one time up to but not including another. It answers with Done when it has begun.
type ReplayFrames struct{ From, To time.Time }

// Done says that a command was carried out, or why it was not.
type Done struct{ Err error }

// ListStatus asks a node for the Status of all its connections; the answer is a StatusList.
type ListStatus struct{}

// StatusList is the state of a node's connections, by ID.
type StatusList struct{ Connections []Status }
