package source

import "sync"

// intake is the batch between the goroutine that receives frames and the one that reads them. Nobody waits in it for
// a lock longer than it takes to move a slice.
type intake struct {
	mu     sync.Mutex
	frames []Frame
	bytes  int

	ready chan struct{} // holds a token when there may be frames
	space chan struct{} // holds a token when frames were taken
	last  int           // length of the last batch: a guess at the next one's
}

func newIntake() *intake {
	return &intake{ready: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

// put appends the frame, waiting for a take while the batch is full. Once ending is closed it waits no longer, so that
// the batch may exceed its bounds by the one frame in hand.
func (in *intake) put(f *Frame, ending <-chan struct{}) {
	for !in.tryPut(f, false) {
		select {
		case <-in.space:
		case <-ending:
			in.tryPut(f, true)
			return
		}
	}
}

func (in *intake) tryPut(f *Frame, force bool) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := len(in.frames)
	if full := n >= MaxBatchFrames || n > 0 && in.bytes+len(f.Raw) > MaxBatchBytes; full && !force {
		return false
	}
	if in.frames == nil {
		in.frames = make([]Frame, 0, max(in.last, 4))
	}
	in.frames = append(in.frames, *f)
	in.bytes += len(f.Raw)
	if n == 0 {
		signal(in.ready)
	}
	return true
}

// take returns all frames that were put since the last take, nil if none.
func (in *intake) take() []Frame {
	in.mu.Lock()
	defer in.mu.Unlock()
	frames := in.frames
	if frames == nil {
		return nil
	}
	in.frames, in.bytes, in.last = nil, 0, len(frames)
	signal(in.space)
	return frames
}

func signal(token chan struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}
