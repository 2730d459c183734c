package simulator

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/lorry-mqtt/lorry/internal/fault"
)

// Flood makes the NS send numbered uplinks as fast as each client reads, and nothing else. Every stream gets frames
// 1, 2, 3 … of its own, the same on all of them, whatever its filter selects; the history parameters aside: with
// from_unixtime a stream begins with the first frame whose meta.time is not before it (at most the one after the
// highest ever sent), so that a client which resumes loses nothing. Flood frames carry no meta.history.
//
// Frames are written in batches of prebuilt WebSocket frames, in which only digits are changed. Downlinks, PONGs and
// the faults [NS.Drop], [NS.Stall] and [NS.Refuse] work as ever.
//
// A frame of 512 bytes or more has all of an uplink's keys but radio and lora. A shorter one has only those by which it
// is an uplink of its own: meta.device, meta.packet_id, meta.time, params.port, params.counter_up and params.payload.
type Flood struct {
	// Size is the length of each frame in bytes, at least 200; 0: no flood.
	Size int
	// Frames is the number of the last frame; 0: no end. A stream that has had it stays open.
	Frames uint64
	// Batch is the number of frames in one write; 0 stands for 128.
	Batch int
	// Held keeps every stream from its first frame until [NS.Release], also those that come later. All else is sent,
	// PONGs too: a held stream looks like one of devices that are quiet.
	Held bool
}

const (
	minFloodSize = 200
	wholeUplink  = 512 // the least that has every key
	maxFloodSize = 1 << 20
	floodCounter = 1_000_000_000 // counter_up of frame 0: ten digits, within FCnt's 32 bits (LoRaWAN 1.0.4 §4.3.1.5)
	maxFlood     = 1<<32 - 1 - floodCounter
	tenDigits    = 1_000_000_000_000_000 // microseconds: the earliest meta.time, as the room for it is fixed
)

func (f Flood) validate() (l fault.List) {
	if f.Size != 0 {
		between(&l, "size", f.Size, minFloodSize, maxFloodSize)
	}
	if f.Frames > maxFlood {
		l.Add("frames", "is %d; a frame counter of 32 bits leaves room for %d", f.Frames, uint64(maxFlood))
	}
	between(&l, "batch", f.Batch, 1, 10_000)
	return l
}

// FloodFrame returns the flood's frame with the number, byte for byte as every stream gets it; nil without a flood.
func (n *NS) FloodFrame(number uint64) []byte {
	f := n.flood
	if f == nil {
		return nil
	}
	t := &f.templates[number%uint64(len(f.templates))]
	frame := bytes.Clone(t.frame)
	f.number(frame, t, number)
	return frame
}

// Release lets a flood that was configured as Held begin on all streams, open and to come, and returns how many are
// open. Without one, or when it has begun, it does nothing.
func (n *NS) Release() int {
	if n.flood == nil || !n.flood.held.CompareAndSwap(true, false) {
		return 0
	}
	streams := n.chosen(nil) // one that is not among them yet looks at held after this
	n.log.Info().Int("streams", len(streams)).Msg("flood released")
	for _, s := range streams {
		s.nudge()
	}
	return len(streams)
}

// FloodNumber reads a flood frame's number from its params.counter_up. To check that frame's every byte, compare it
// with [NS.FloodFrame].
func FloodNumber(frame []byte) (uint64, error) {
	_, rest, found := bytes.Cut(frame, []byte(`"counter_up"`))
	rest = bytes.TrimLeft(rest, ": ")
	if !found || len(rest) < 10 {
		return 0, errors.New("read a flood frame's number: it has no counter_up")
	}
	v := uint64(0)
	for _, c := range rest[:10] {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("read a flood frame's number: counter_up begins with %q", rest[:10])
		}
		v = v*10 + uint64(c-'0')
	}
	if v < floodCounter {
		return 0, fmt.Errorf("read a flood frame's number: counter_up is %d; a flood's begin at %d", v, floodCounter)
	}
	return v - floodCounter, nil
}

// floodWriter is one stream's place in the flood. Its batch is built once: between two writes only digits change.
type floodWriter struct {
	plan   *floodPlan
	batch  []byte
	starts []int // where each WebSocket frame begins, and the end
	next   uint64
	last   uint64
}

func (f *floodPlan) writer(q *query) *floodWriter {
	w := &floodWriter{plan: f, next: 1, last: maxFlood}
	if f.Frames > 0 {
		w.last = f.Frames
	}
	if q.from > f.base {
		w.next = min(uint64(q.from-f.base), f.highest.Load()+1)
	}
	return w
}

// build makes the batch, which a stream that has sent nothing yet does without.
func (w *floodWriter) build() {
	for _, t := range w.plan.templates {
		w.starts = append(w.starts, len(w.batch))
		w.batch = appendFrame(w.batch, opText, t.frame)
	}
	w.starts = append(w.starts, len(w.batch))
}

// batchNext numbers the next frames up to the end of the batch, and returns them with their WebSocket headers.
func (w *floodWriter) batchNext() ([]byte, int) {
	if w.batch == nil {
		w.build()
	}
	size := uint64(len(w.plan.templates))
	first := int(w.next % size)
	count := int(min(size-uint64(first), w.last+1-w.next))
	for i := first; i < first+count; i++ {
		t := &w.plan.templates[i]
		w.plan.number(w.batch[w.starts[i+1]-len(t.frame):w.starts[i+1]], t, w.next)
		w.next++
	}
	for {
		high := w.plan.highest.Load()
		if w.next-1 <= high || w.plan.highest.CompareAndSwap(high, w.next-1) {
			return w.batch[w.starts[first]:w.starts[first+count]], count
		}
	}
}
