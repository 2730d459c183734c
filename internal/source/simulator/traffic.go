package simulator

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// Order asks for one message. What it leaves empty the seed decides.
type Order struct {
	// Type is an NS→AS type; empty stands for uplink. A downlink_request, downlink, info or warning belongs to the
	// device's last uplink, as long as that has had none of the kind.
	Type dataapi.Type
	// Device is a DevEUI of [NS.Devices].
	Device string
	// Payload is an uplink's, in plain: up to some 100 kB have been seen in the wild.
	Payload []byte
	// Port is an uplink's FPort.
	Port uint8
	// Text and Code are those of an info, a warning or an error.
	Text string
	Code int
	// Bare makes an error with nothing but meta.time.
	Bare bool
}

// Emit generates one message and sends it to every stream that it matches. The error names what the order has wrong.
func (n *NS) Emit(o Order) (Message, error) {
	kind := orElse(o.Type, dataapi.Uplink)
	if !slices.Contains(generated, kind) {
		return Message{}, fmt.Errorf("emit %q: the NS sends no such type", kind)
	}
	if n.flood != nil {
		return Message{}, fmt.Errorf("emit %q: the NS floods, and sends nothing else", kind)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	d := n.gen.byEUI[o.Device]
	if d == nil {
		if o.Device != "" {
			return Message{}, fmt.Errorf("emit %q: there is no device %q", kind, o.Device)
		}
		d = n.gen.devices[n.gen.traffic.IntN(len(n.gen.devices))]
	}
	m := n.gen.make(n.gen.traffic, kind, d, n.cfg.Now())
	m.payload, m.port = o.Payload, orElse(o.Port, m.port)
	m.text, m.code = orElse(o.Text, m.text), orElse(o.Code, m.code)
	if o.Type == dataapi.Status || o.Type == dataapi.StatusResponse {
		m.kind = o.Type
	}
	if o.Bare && kind == dataapi.Error {
		m.device, m.packet = nil, nil
	}
	n.happen(m, nil)
	return n.gen.export(m), nil
}

// Devices lists the DevEUIs.
func (n *NS) Devices() []string {
	out := make([]string, len(n.gen.devices))
	for i, d := range n.gen.devices {
		out[i] = d.eui
	}
	return out
}

// SetRate changes [Config.Rate] from now on; a rate that is negative or no number counts as 0. It does nothing under
// flood.
func (n *NS) SetRate(rate float64) {
	if !(rate > 0) || math.IsInf(rate, 0) {
		rate = 0
	}
	n.rate.set(rate)
}

// happen publishes a message and opens what it opens. The NS is locked.
func (n *NS) happen(m *message, sender *stream) {
	switch m.kind {
	case dataapi.DownlinkRequest:
		n.openRequest(m)
	case dataapi.JoinRequest:
		n.desk.joins[m.device.eui] = m
	}
	n.publish(m, sender)
}

type rateControl struct {
	bits    atomic.Uint64
	changed chan struct{}
}

func newRateControl(rate float64) *rateControl {
	c := &rateControl{changed: make(chan struct{}, 1)}
	c.bits.Store(math.Float64bits(rate))
	return c
}

func (c *rateControl) get() float64 { return math.Float64frombits(c.bits.Load()) }

func (c *rateControl) set(rate float64) {
	c.bits.Store(math.Float64bits(rate))
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// traffic generates messages at the rate until the context ends. Having fallen behind it catches up; by more than a
// second (a suspended machine) it starts anew.
func (n *NS) traffic(ctx context.Context) {
	r := chance(n.cfg.Seed, chanceArrivals)
	poisson := r.IntN(2) == 0
	if n.cfg.Arrivals != ArrivalsBySeed {
		poisson = n.cfg.Arrivals == Poisson
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	next := time.Now()
	for ctx.Err() == nil {
		rate := n.rate.get()
		wait := idle
		if rate > 0 {
			gap := float64(time.Second) / rate
			if poisson {
				gap *= r.ExpFloat64()
			}
			next = next.Add(time.Duration(min(gap, float64(idle))))
			wait = time.Until(next)
		}
		if wait > 0 {
			timer.Reset(wait)
			select {
			case <-ctx.Done():
				return
			case <-n.rate.changed:
				next = time.Now()
				continue
			case <-timer.C:
			}
		} else if wait < -time.Second {
			next = time.Now()
		}
		if rate > 0 {
			n.mu.Lock()
			n.happen(n.gen.next(n.cfg.Now()), nil)
			n.mu.Unlock()
		}
	}
}
