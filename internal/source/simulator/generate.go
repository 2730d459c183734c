package simulator

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// generator makes messages. It is deterministic: the same seed and the same calls give the same messages.
type generator struct {
	*world
	cfg       Config
	traffic   *rand.Rand
	reactions *rand.Rand
	shares    []float64 // cumulated, parallel to generated
	recent    *device   // of the last uplink
	n         uint64
}

func newGenerator(cfg Config) *generator {
	g := &generator{
		world: newWorld(cfg), cfg: cfg,
		traffic: chance(cfg.Seed, chanceTraffic), reactions: chance(cfg.Seed, chanceReactions),
	}
	sum := 0.0
	for _, t := range generated {
		sum += cfg.Mix[t]
		g.shares = append(g.shares, sum)
	}
	return g
}

// next generates one message of the mix. What belongs to an uplink follows the last one, each kind once; when that
// one has had its share, another uplink comes instead, unless the mix has none.
func (g *generator) next(now time.Time) *message {
	draw := g.traffic.Float64() * g.shares[len(g.shares)-1]
	kind := generated[0]
	for i, share := range g.shares {
		if draw < share {
			kind = generated[i]
			break
		}
	}
	d := g.devices[g.traffic.IntN(len(g.devices))]
	if follows(kind) && g.cfg.Mix[dataapi.Uplink] > 0 {
		if g.recent == nil || g.recent.last.spent(kind) {
			kind = dataapi.Uplink
		} else {
			d = g.recent
		}
	}
	return g.make(g.traffic, kind, d, now)
}

func follows(kind dataapi.Type) bool {
	switch kind {
	case dataapi.DownlinkRequest, dataapi.Downlink, dataapi.Info, dataapi.Warning:
		return true
	}
	return false
}

// spent tells whether the packet has had a message of the kind already, or one that excludes it.
func (p *packet) spent(kind dataapi.Type) bool {
	switch kind {
	case dataapi.DownlinkRequest, dataapi.Downlink:
		return p.requested || p.answered
	default:
		return p.told
	}
}

// make generates a message of the kind from the device, and moves the device's state along.
func (g *generator) make(r *rand.Rand, kind dataapi.Type, d *device, now time.Time) *message {
	m := g.blank(r, kind, now)
	m.device, m.addr = d, d.addr
	switch kind {
	case dataapi.Uplink:
		m.count, m.port = d.up, uint8(1+r.IntN(223))
		if !d.stuck {
			d.up++
		}
		// The hash covers address and counter only: a stuck counter repeats it for new data.
		d.last = g.radio(r, mix(d.seed, uint64(d.addr), uint64(m.count)))
		m.packet, m.copies = d.last, d.last.copies
		g.recent = d
	case dataapi.DownlinkRequest:
		m.packet = g.share(r, d, kind)
		m.packet.requested = true
		m.count, m.tx = d.down, m.time+g.cfg.TxDelay.Microseconds()
	case dataapi.Downlink:
		m.packet = g.share(r, d, kind)
		m.packet.answered = true
		m.count = d.down
		d.down++
	case dataapi.JoinRequest:
		m.addr = devAddr(d.addr>>25, r.Uint32())
		m.packet = g.radio(r, r.Uint64())
	case dataapi.Info, dataapi.Warning:
		m.packet = g.share(r, d, kind)
		m.packet.told = true
		m.text, m.code = someText(r, kind)
	case dataapi.Error:
		m.text, m.code = someText(r, kind)
		if r.IntN(2) == 0 {
			m.device = nil // nothing but meta.time
		} else {
			m.packet = g.radio(r, r.Uint64())
		}
	case dataapi.Status, dataapi.StatusResponse:
		m.kind = g.statusType(r)
		m.packet = g.radio(r, r.Uint64())
	case dataapi.Location:
	}
	return m
}

// blank is a message that says nothing yet.
func (g *generator) blank(r *rand.Rand, kind dataapi.Type, now time.Time) *message {
	g.n++
	return &message{
		n: g.n, kind: kind, at: now, time: now.UnixMicro() - g.skew(kind), seed: r.Uint64(), copies: 1,
	}
}

// skew is how far meta.time of a type lies behind the clock: types run apart, one type does not.
func (g *generator) skew(kind dataapi.Type) int64 {
	h := fnv.New64a()
	h.Write([]byte(kind))
	return int64(mix(g.cfg.Seed, h.Sum64()) % uint64(g.cfg.TimeSkew.Microseconds()+1))
}

// radio is a new radio packet.
func (g *generator) radio(r *rand.Rand, hash uint64) *packet {
	return &packet{
		id: [2]uint64{r.Uint64(), r.Uint64()}, hash: [2]uint64{mix(hash, 1), mix(hash, 2)},
		gateway: r.IntN(len(g.gateways)), copies: 1 + r.IntN(min(3, len(g.gateways))),
	}
}

// share is the radio packet of the device's last uplink, or a new one when it has been spent.
func (g *generator) share(r *rand.Rand, d *device, kind dataapi.Type) *packet {
	if d.last == nil || d.last.spent(kind) {
		return g.radio(r, r.Uint64())
	}
	return d.last
}

func (g *generator) statusType(r *rand.Rand) dataapi.Type {
	plain := r.IntN(2) == 0
	if g.cfg.StatusType != "" {
		return g.cfg.StatusType
	}
	if plain {
		return dataapi.Status
	}
	return dataapi.StatusResponse
}

// notice is an info, a warning or an error that answers something a client did.
func (g *generator) notice(kind dataapi.Type, d *device, p *packet, text string, now time.Time) *message {
	m := g.blank(g.reactions, kind, now)
	m.device, m.packet, m.text = d, p, text
	if d != nil {
		m.addr = d.addr
	}
	return m
}

var texts = map[dataapi.Type][]string{
	dataapi.Info: {
		"ADR: data rate changed", "Device is in range of a new gateway", "MAC command \"LinkCheckReq\" answered",
	},
	dataapi.Warning: {
		"Uplink counter gap: packets were lost", "Duty cycle of the gateway is exhausted; downlink moved to RX2",
		"Battery level of the device is low",
	},
	dataapi.Error: {
		"MIC check failed", "Gateway queue is full: downlink was not transmitted", "Internal error; see \\#support",
	},
}

// someText is a message text made unlike any other by a reference, as two errors may otherwise be the same bytes.
func someText(r *rand.Rand, kind dataapi.Type) (string, int) {
	list := texts[kind]
	code := 0
	if r.IntN(2) == 0 {
		code = 100 + r.IntN(400)
	}
	return fmt.Sprintf("%s [%s]", list[r.IntN(len(list))], hex(r.Uint64(), 12)), code
}
