package source

import (
	"context"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// Bounds of what one [Session.Read] returns, and so of what a session holds that nobody has read yet.
const (
	MaxBatchFrames = 512
	MaxBatchBytes  = 1 << 20 // sum of the frames' Raw; a single larger frame is a batch of its own
)

// Frame is one Data API message as the Network Server sent it. Its Raw belongs to whoever received the frame; it
// may share its memory with its neighbours': a frame that is kept keeps at most 32 KiB of theirs from being freed.
type Frame = dataapi.Frame

// Session is one live stream of frames from a Network Server, and the way back for downlinks.
//
// A session ends once and for good: by Close, by the peer, by silence or by a failure. Its goroutines end with it,
// whether or not Close is called; what was received before can still be read.
type Session interface {
	// Read waits until there is at least one frame and returns all that have arrived, in the order received, at
	// most MaxBatchFrames and MaxBatchBytes of them. The slice belongs to the caller. When ctx ends first it returns
	// ctx's error, and the frames wait for the next Read. After the session ended it returns the frames that are left
	// and then, every time, an [*EndedError]. One Read may be under way at a time.
	//
	// A session that is not read from stops reading its connection, so that the backlog stays with the sender.
	Read(ctx context.Context) ([]Frame, error)

	// Write sends payload, byte for byte, as one message and returns when it was handed to the network. It is safe
	// for concurrent use, also with Read and Close; payload may be reused when it returns. When ctx ends before the
	// message's turn, nothing is sent; when it ends later, Write returns its error and the message may or may not
	// reach the peer. A message that cannot be written within the session's write timeout ends the session. After the
	// end it returns an [*EndedError].
	Write(ctx context.Context, payload []byte) error

	// Close takes leave of the peer if that is possible within two seconds and ends the session; no goroutine of it
	// is left when it returns. It may be called at any time, any number of times, and always returns nil.
	Close() error
}
