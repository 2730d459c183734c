package part

import (
	"bytes"
	"sync/atomic"

	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// The subscriber's counts. Lost is what was sent less what arrived.
const (
	SubscriberArrived    = "subscriber_arrived_total"    // different frames of the flood
	SubscriberRepeated   = "subscriber_repeated_total"   // frames that had arrived before
	SubscriberDisordered = "subscriber_disordered_total" // frames that first arrived after one sent later
	SubscriberForeign    = "subscriber_foreign_total"    // messages that are no frame of the flood, byte for byte
)

// verifier compares what arrives with the flood. One goroutine at a time hands it messages.
type verifier struct {
	ns      *simulator.NS
	seen    []bool // by number
	highest uint64

	arrived, repeated, disordered, foreign atomic.Uint64
}

func newVerifier(f *Flood) (*verifier, error) {
	ns, err := f.networkServer()
	if err != nil {
		return nil, err
	}
	return &verifier{ns: ns, seen: make([]bool, f.Frames+1)}, nil
}

func (v *verifier) numbers() []number {
	return []number{
		{SubscriberArrived, &v.arrived}, {SubscriberRepeated, &v.repeated},
		{SubscriberDisordered, &v.disordered}, {SubscriberForeign, &v.foreign},
	}
}

// take judges one message.
func (v *verifier) take(payload []byte) {
	n, err := simulator.FloodNumber(payload)
	if err != nil || n == 0 || n >= uint64(len(v.seen)) || !bytes.Equal(payload, v.ns.FloodFrame(n)) {
		v.foreign.Add(1)
		return
	}
	if v.seen[n] {
		v.repeated.Add(1)
		return
	}
	v.seen[n] = true
	v.arrived.Add(1)
	if n < v.highest {
		v.disordered.Add(1)
	}
	v.highest = max(v.highest, n)
}
