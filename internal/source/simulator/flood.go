package simulator

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/lorry-mqtt/lorry/internal/fault"
)

// Flood makes the NS send numbered uplinks as fast as each client reads, and nothing else. Every stream gets frames
// 1, 2, 3 … of its own, the same on all of them, whatever its filter selects; the history parameters aside: with
// from_unixtime a stream begins with the first frame whose meta.time is not before it (at most the one after the
// highest ever sent), so that a client which resumes loses nothing. Flood frames carry no meta.history.
//
// Frames are written in batches of prebuilt WebSocket frames, in which only digits are changed. Downlinks, PONGs and
// the faults [NS.Drop], [NS.Stall] and [NS.Refuse] work as ever.
type Flood struct {
	// Size is the length of each frame in bytes, at least 512; 0: no flood.
	Size int
	// Frames is the number of the last frame; 0: no end. A stream that has had it stays open.
	Frames uint64
	// Batch is the number of frames in one write; 0 stands for 128.
	Batch int
}

const (
	minFloodSize = 512
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

// The places in a template that differ from frame to frame, as they are first written.
const (
	markTime    = "1111111111.111111"
	markRxTime  = "2222222222.222222"
	markCounter = "3333333333"
)

var (
	markID      = strings.Repeat("d", 32)
	markHash    = strings.Repeat("e", 32)
	markPayload = strings.Repeat("F", 16)
)

// template is one prebuilt frame and the places in it.
type template struct {
	frame                                    []byte
	time, rxTime, counter, id, hash, payload int
}

// floodPlan holds one template for each place in a batch: frame n is made from template n mod Batch.
type floodPlan struct {
	Flood
	seed      uint64
	base      int64 // meta.time of frame 0 in microseconds; each further frame is one later
	templates []template
	highest   atomic.Uint64 // frame ever sent
}

func newFloodPlan(cfg Config, w *world) *floodPlan {
	f := &floodPlan{Flood: cfg.Flood, seed: cfg.Seed, base: max(cfg.Now().UnixMicro(), tenDigits)}
	for i := range cfg.Flood.Batch {
		f.templates = append(f.templates, f.template(w, w.devices[i%len(w.devices)], uint64(i)))
	}
	return f
}

// template writes a frame of exactly Size bytes: the encrypted payload takes up the room, spaces after the object
// what is left of it.
func (f *floodPlan) template(w *world, d *device, i uint64) template {
	r := chance(mix(f.seed, i), chanceContent)
	gateway, port := w.gateways[r.IntN(len(w.gateways))], 1+r.Uint64N(223)
	write := func(secret string) []byte {
		p := newPen(nil, mix(f.seed, i), false)
		p.style = styles[i%2]
		p.write(obj("", obj("meta",
			str("network", w.network), str("packet_hash", markHash), str("packet_id", markID),
			str("application", d.joinEUI), str("device", d.eui), str("device_addr", hex(uint64(d.addr), 8)),
			str("gateway", gateway), raw("time", markTime)),
			obj("params",
				raw("rx_time", markRxTime), whole("port", port), raw("counter_up", markCounter),
				str("payload", markPayload), str("encrypted_payload", secret), raw("duplicate", "false")),
			str("type", "uplink")))
		return p.buf
	}
	room := f.Size - len(write(""))
	frame := write(base64.StdEncoding.EncodeToString(someBytes(r, room/4*3)))
	frame = append(frame, strings.Repeat(" ", f.Size-len(frame))...)
	at := func(mark string) int { return bytes.Index(frame, []byte(mark)) }
	return template{
		frame: frame, time: at(markTime), rxTime: at(markRxTime), counter: at(markCounter),
		id: at(markID), hash: at(markHash), payload: at(markPayload),
	}
}

// number writes the frame's number into a copy of its template.
func (f *floodPlan) number(frame []byte, t *template, n uint64) {
	micros := f.base + int64(n)
	putUnix(frame[t.time:], micros)
	putUnix(frame[t.rxTime:], micros-50_000)
	putDecimal(frame[t.counter:t.counter+10], floodCounter+n)
	a, b := mix(f.seed, n), mix(n, f.seed)
	putHex(frame[t.id:t.id+16], a)
	putHex(frame[t.id+16:t.id+32], n)
	putHex(frame[t.hash:t.hash+16], b)
	putHex(frame[t.hash+16:t.hash+32], a^b)
	var plain [12]byte
	binary.BigEndian.PutUint64(plain[:], b)
	binary.BigEndian.PutUint32(plain[8:], uint32(n))
	base64.StdEncoding.Encode(frame[t.payload:t.payload+16], plain[:])
}

func putUnix(dst []byte, micros int64) {
	putDecimal(dst[:10], uint64(micros/1_000_000))
	putDecimal(dst[11:17], uint64(micros%1_000_000))
}

func putDecimal(dst []byte, v uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
}

func putHex(dst []byte, v uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = "0123456789abcdef"[v&15]
		v >>= 4
	}
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

// floodWriter is one stream's place in the flood. Its batch is never built again: between two writes only digits
// change.
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
	for _, t := range f.templates {
		w.starts = append(w.starts, len(w.batch))
		w.batch = appendFrame(w.batch, opText, t.frame)
	}
	w.starts = append(w.starts, len(w.batch))
	return w
}

// batchNext numbers the next frames up to the end of the batch, and returns them with their WebSocket headers.
func (w *floodWriter) batchNext() ([]byte, int) {
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
