package buffer

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// A message's body is its frames, byte for byte, one behind the other; its header says which they are.
const (
	headerFirst = "Lorry-First" // number of the first frame
	headerSizes = "Lorry-Sizes" // sizes in bytes, separated by spaces; absent when there is one frame
	headerTime  = "Lorry-Time"  // highest meta.time up to the last frame, Unix seconds
	// headerReplay is from when on history was being replayed when the message was stored, Unix seconds; absent
	// when none was.
	headerReplay = "Lorry-Replay"
)

// Batch is a run of consecutive frames of one connection that were stored together.
type Batch struct {
	First  uint64 // number of Frames[0]
	Seq    uint64 // stream sequence of the message that holds them
	Frames []dataapi.Frame
}

// Last is the number of the batch's last frame.
func (b Batch) Last() uint64 { return b.First + uint64(len(b.Frames)) - 1 }

// After is the batch without its frames up to and including number.
func (b Batch) After(number uint64) Batch {
	if number < b.First {
		return b
	}
	skip := min(number-b.First+1, uint64(len(b.Frames)))
	b.First += skip
	b.Frames = b.Frames[skip:]
	return b
}

// Head is the batch's first n frames at most.
func (b Batch) Head(n int) Batch {
	b.Frames = b.Frames[:min(n, len(b.Frames))]
	return b
}

// At is the position behind the given frame of this batch. The message is read again from there, since the
// batch may hold only a part of it.
func (b Batch) At(number uint64) Position { return Position{Number: number, Seq: b.Seq} }

// pack writes frames, of which the first has the given number, into msg, whose buffers it reuses.
func pack(msg *nats.Msg, first uint64, frames []dataapi.Frame, highest, replay float64) {
	msg.Data = msg.Data[:0]
	var sizes []byte
	for i, f := range frames {
		msg.Data = append(msg.Data, f.Raw...)
		if len(frames) > 1 {
			if i > 0 {
				sizes = append(sizes, ' ')
			}
			sizes = strconv.AppendInt(sizes, int64(len(f.Raw)), 10)
		}
	}
	msg.Header = nats.Header{
		headerFirst: {strconv.FormatUint(first, 10)},
		headerTime:  {strconv.FormatFloat(highest, 'f', -1, 64)},
	}
	if replay != 0 {
		msg.Header[headerReplay] = []string{strconv.FormatFloat(replay, 'f', -1, 64)}
	}
	if sizes != nil {
		msg.Header[headerSizes] = []string{string(sizes)}
	}
}

// errForeign marks a message in the stream that no lorry wrote.
var errForeign = errors.New("not a message of the buffer")

// unpack is the inverse of pack; the frames alias data.
func unpack(header nats.Header, data []byte, seq uint64, stored time.Time) (Batch, error) {
	first, err := strconv.ParseUint(header.Get(headerFirst), 10, 64)
	if err != nil || first == 0 {
		return Batch{}, fmt.Errorf("stream sequence %d: header %s %q is no frame number: %w", seq, headerFirst, header.Get(headerFirst), errForeign)
	}
	b := Batch{First: first, Seq: seq}
	sizes := header.Get(headerSizes)
	if sizes == "" {
		b.Frames = []dataapi.Frame{readFrame(data, stored)}
		return b, nil
	}
	for sizes != "" {
		var size int
		size, sizes, err = nextSize(sizes)
		if err != nil || size > len(data) {
			return Batch{}, fmt.Errorf("stream sequence %d: header %s does not fit the body: %w", seq, headerSizes, errForeign)
		}
		b.Frames = append(b.Frames, readFrame(data[:size:size], stored))
		data = data[size:]
	}
	if len(data) > 0 {
		return Batch{}, fmt.Errorf("stream sequence %d: %d bytes behind the last frame: %w", seq, len(data), errForeign)
	}
	return b, nil
}

// nextSize takes the first number off a list of sizes.
func nextSize(sizes string) (size int, rest string, err error) {
	end := 0
	for end < len(sizes) && sizes[end] != ' ' {
		end++
	}
	size, err = strconv.Atoi(sizes[:end])
	if err != nil || size < 0 {
		return 0, "", errForeign
	}
	if end < len(sizes) {
		end++
	}
	return size, sizes[end:], nil
}

// readFrame scans a stored frame again. It was readable when it was stored; should it not be now, it still
// travels, with no field known.
func readFrame(raw []byte, stored time.Time) dataapi.Frame {
	envelope, err := dataapi.Scan(raw)
	if err != nil {
		envelope = dataapi.Envelope{}
	}
	return dataapi.Frame{Raw: raw, Envelope: envelope, Received: stored}
}

// timeIn is the time in a message's header, Unix seconds; 0 when there is none.
func timeIn(header nats.Header, name string) float64 {
	t, err := strconv.ParseFloat(header.Get(name), 64)
	if err != nil {
		return 0
	}
	return t
}
