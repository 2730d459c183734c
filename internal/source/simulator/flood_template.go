package simulator

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"sync/atomic"
)

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

// template is one prebuilt frame and the places in it; those which it does not have are -1.
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
	held      atomic.Bool   // until Release
}

func newFloodPlan(cfg Config, w *world) *floodPlan {
	f := &floodPlan{Flood: cfg.Flood, seed: cfg.Seed, base: max(cfg.Now().UnixMicro(), tenDigits)}
	f.held.Store(cfg.Flood.Held)
	for i := range cfg.Flood.Batch {
		f.templates = append(f.templates, f.template(w, w.devices[i%len(w.devices)], uint64(i)))
	}
	return f
}

// template writes a frame of exactly Size bytes: spaces after the object take up what the message leaves.
func (f *floodPlan) template(w *world, d *device, i uint64) template {
	r := chance(mix(f.seed, i), chanceContent)
	var frame []byte
	if f.Size < wholeUplink {
		frame = f.briefUplink(d, i, r)
	} else {
		frame = f.uplink(w, d, i, r)
	}
	frame = append(frame, strings.Repeat(" ", f.Size-len(frame))...)
	at := func(mark string) int { return bytes.Index(frame, []byte(mark)) }
	return template{
		frame: frame, time: at(markTime), rxTime: at(markRxTime), counter: at(markCounter),
		id: at(markID), hash: at(markHash), payload: at(markPayload),
	}
}

// uplink has every key, radio and lora aside; the encrypted payload takes up the room.
func (f *floodPlan) uplink(w *world, d *device, i uint64, r *rand.Rand) []byte {
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
	return write(fill(r, f.Size-len(write(""))))
}

// briefUplink has the keys without which it would be no uplink of its own, and is compact; the payload takes up the
// room. The shortest is 200 bytes long.
func (f *floodPlan) briefUplink(d *device, i uint64, r *rand.Rand) []byte {
	port := 1 + r.Uint64N(99)
	write := func(more string) []byte {
		p := newPen(nil, mix(f.seed, i), false)
		p.style = styles[0]
		p.write(obj("",
			obj("meta", str("packet_id", markID), str("device", d.eui), raw("time", markTime)),
			obj("params", whole("port", port), raw("counter_up", markCounter), str("payload", markPayload+more)),
			str("type", "uplink")))
		return p.buf
	}
	return write(fill(r, f.Size-len(write(""))))
}

// fill is base64 of some bytes that takes up to so much room.
func fill(r *rand.Rand, room int) string {
	return base64.StdEncoding.EncodeToString(someBytes(r, room/4*3))
}

// number writes the frame's number into a copy of its template.
func (f *floodPlan) number(frame []byte, t *template, n uint64) {
	micros := f.base + int64(n)
	putUnix(frame[t.time:], micros)
	if t.rxTime >= 0 {
		putUnix(frame[t.rxTime:], micros-50_000)
	}
	putDecimal(frame[t.counter:t.counter+10], floodCounter+n)
	a, b := mix(f.seed, n), mix(n, f.seed)
	putHex(frame[t.id:t.id+16], a)
	putHex(frame[t.id+16:t.id+32], n)
	if t.hash >= 0 {
		putHex(frame[t.hash:t.hash+16], b)
		putHex(frame[t.hash+16:t.hash+32], a^b)
	}
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
