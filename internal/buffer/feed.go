package buffer

import (
	"context"
	"sync"
)

// How much of a connection's newest frames the feed keeps in memory while its reader is not there to take
// them. What is beyond is in the stream only.
const (
	tailFrames = 1024
	tailBytes  = 1 << 20
)

// logReader is the part of Log that a feed reads when it is behind.
type logReader interface {
	Last() uint64
	ReadAfter(ctx context.Context, pos Position) ([]Batch, error)
}

// Feed hands a connection's frames to its one reader, in order and from any position: from memory while the
// reader keeps up with what is appended, from the stream when it is behind, and from memory again once the two
// have met. Reading a frame back costs more than storing it, so a reader that keeps up never does.
type Feed struct {
	log logReader

	mu     sync.Mutex
	stored uint64        // number of the last frame handed to Stored
	wake   chan struct{} // closed and replaced when stored moves, and by Wake
	woken  bool          // by Wake, and Next has not returned since

	// While keeping, tail holds every frame behind the number tailFrom. When the reader does not take them, the
	// tail is given up and the stream is all there is.
	keeping  bool
	tail     []Batch
	tailFrom uint64
	frames   int
	bytes    int

	ahead     []Batch // read from the stream and not yet taken
	aheadFrom uint64  // ahead misses nothing that the stream has behind this number
}

// NewFeed makes the feed of a log.
func NewFeed(log *Log) *Feed { return newFeed(log) }

func newFeed(log logReader) *Feed {
	return &Feed{log: log, stored: log.Last(), wake: make(chan struct{})}
}

// Stored hands on a batch that has just been appended. It never blocks.
func (f *Feed) Stored(b Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stored = b.Last()
	if f.keeping {
		f.frames += len(b.Frames)
		f.bytes += size(b)
		if f.frames > tailFrames || f.bytes > tailBytes {
			f.dropTail()
		} else {
			f.tail = append(f.tail, b)
		}
	}
	f.signal()
}

// Wake has a Next that waits, or else the next one that would, return without frames.
func (f *Feed) Wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.woken = true
	f.signal()
}

func (f *Feed) signal() {
	close(f.wake)
	f.wake = make(chan struct{})
}

// wakened reports whether Wake was called, once for each time.
func (f *Feed) wakened() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	woken := f.woken
	f.woken = false
	return woken
}

// CaughtUp reports whether nothing is stored behind a position.
func (f *Feed) CaughtUp(pos Position) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return pos.Number >= f.stored
}

// Next returns the frames behind a position, at least one and at most limit, all from one message; it waits
// until there is one, or returns none when it is woken. A batch that begins later than pos.Number+1 says that the frames between are no longer
// in the buffer. One goroutine at a time may call it.
func (f *Feed) Next(ctx context.Context, pos Position, limit int) (Batch, error) {
	for {
		batch, wait := f.fromMemory(pos)
		if len(batch.Frames) > 0 {
			return batch.Head(limit), nil
		}
		if wait != nil {
			if f.wakened() {
				return Batch{}, nil
			}
			select {
			case <-ctx.Done():
				return Batch{}, ctx.Err()
			case <-wait:
				continue
			}
		}
		batches, err := f.log.ReadAfter(ctx, pos)
		if err != nil {
			return Batch{}, err
		}
		if len(batches) > 0 {
			f.ahead, f.aheadFrom = batches, pos.Number
			continue
		}
		// Nothing behind pos is left in the stream; go on from where the tail begins.
		f.mu.Lock()
		pos.Number = max(pos.Number, f.tailFrom)
		f.mu.Unlock()
	}
}

// fromMemory is the next batch behind pos if memory has it; else a channel to wait on if there is nothing
// behind pos; else neither, and the stream must be read.
func (f *Feed) fromMemory(pos Position) (Batch, <-chan struct{}) {
	if batch, ok := f.fromAhead(pos.Number); ok {
		return batch, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.keeping {
		f.keeping, f.tailFrom = true, f.stored
	}
	if pos.Number >= f.stored {
		f.release(pos.Number)
		return Batch{}, f.wake
	}
	if pos.Number < f.tailFrom {
		return Batch{}, nil
	}
	f.release(pos.Number)
	return f.tail[0].After(pos.Number), nil
}

// fromAhead is the next batch behind number among those that the last read of the stream returned. A reader
// that has gone back reads the stream anew.
func (f *Feed) fromAhead(number uint64) (Batch, bool) {
	if number < f.aheadFrom {
		f.ahead = nil
	}
	f.aheadFrom = number
	for len(f.ahead) > 0 && f.ahead[0].Last() <= number {
		f.ahead = f.ahead[1:]
	}
	if len(f.ahead) == 0 {
		f.ahead = nil
		return Batch{}, false
	}
	return f.ahead[0].After(number), true
}

// release lets go of the tail's batches that the reader has passed.
func (f *Feed) release(number uint64) {
	for len(f.tail) > 0 && f.tail[0].Last() <= number {
		f.frames -= len(f.tail[0].Frames)
		f.bytes -= size(f.tail[0])
		f.tail[0] = Batch{}
		f.tail = f.tail[1:]
	}
	f.tailFrom = max(f.tailFrom, min(number, f.stored))
}

// dropTail gives the tail up: its frames are in the stream.
func (f *Feed) dropTail() {
	f.keeping, f.tail, f.frames, f.bytes = false, nil, 0, 0
}

func size(b Batch) (n int) {
	for i := range b.Frames {
		n += len(b.Frames[i].Raw)
	}
	return n
}
