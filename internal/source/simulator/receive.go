package simulator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// receive judges one message of a client, and does what follows from it.
func (n *NS) receive(s *stream, frame []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	now := n.cfg.Now()
	r := Received{Stream: s.id, At: now, Raw: slices.Clone(frame), Outcome: Accepted}
	c, err := parseCommand(frame)
	r.Type, r.Device, r.PacketID = c.kind, c.device, c.packetID
	switch {
	case err != nil:
		r.Outcome, r.Reason = Bad, err.Error()
		n.echo(s, frame, now)
	case c.kind == dataapi.DownlinkResponse:
		n.respond(s, c, &r)
	default:
		n.command(s, c, &r)
	}
	n.counters.judge(r.Outcome)
	n.ledger.receivedOne(r)
	n.log.Debug().Uint64("stream", s.id).Str("type", string(r.Type)).Str("device", r.Device).
		Str("outcome", string(r.Outcome)).Str("reason", r.Reason).Msg("client's message judged")
	n.changes.announce()
}

// echo answers a bad message on its own stream, whatever types that has asked for.
func (n *NS) echo(s *stream, frame []byte, now time.Time) {
	m := n.gen.notice(dataapi.Error, nil, nil, "Bad message format. Received data: "+string(frame), now)
	m.private = s.id
	n.publish(m, s)
}

// command does what a claim, a status request or a join response asks for.
func (n *NS) command(s *stream, c command, r *Received) {
	d := n.gen.byEUI[strings.ToLower(c.device)]
	if d == nil {
		n.reject(s, r, Unsolicited, nil, nil, fmt.Sprintf("Device %s is unknown", c.device))
		return
	}
	switch c.kind {
	case dataapi.DownlinkClaim:
		n.claim(s, c, d, r)
	case dataapi.JoinResponse:
		n.join(s, d, r)
	default: // status_request, in both its spellings
		n.happen(n.gen.make(n.gen.reactions, dataapi.StatusResponse, d, r.At), s)
	}
}

// claim answers a downlink_claim by a downlink_request at once: a packet of its own, as no uplink preceded it.
func (n *NS) claim(s *stream, c command, d *device, r *Received) {
	p := n.gen.radio(n.gen.reactions, n.gen.reactions.Uint64())
	if c.gateway != "" {
		i := slices.Index(n.gen.gateways, strings.ToLower(c.gateway))
		if i < 0 {
			n.reject(s, r, Unsolicited, d, nil, fmt.Sprintf("Gateway %s is not active", c.gateway))
			return
		}
		p.gateway = i
	}
	p.requested = true
	m := n.gen.blank(n.gen.reactions, dataapi.DownlinkRequest, r.At)
	m.device, m.addr, m.packet = d, d.addr, p
	m.count, m.tx = d.down, m.time+n.cfg.TxDelay.Microseconds()
	n.happen(m, s)
}

// joinWindow is JOIN_ACCEPT_DELAY1 (LoRaWAN RP002-1.0.3 §2.4.11): after it the device no longer listens.
const joinWindow = 5 * time.Second

// join takes the offered DevAddr into use and starts the counters anew (LoRaWAN 1.0.4 §4.3.1.5), if a join_request of
// the device is open and the device still listens.
func (n *NS) join(s *stream, d *device, r *Received) {
	req := n.desk.joins[d.eui]
	if req == nil {
		n.reject(s, r, Unsolicited, d, nil, "Join response without a join request")
		return
	}
	delete(n.desk.joins, d.eui)
	r.measure(req.at, req.at.Add(joinWindow))
	if r.Margin <= 0 {
		n.reject(s, r, Late, d, req.packet, "Join response is late: the device no longer listens")
		return
	}
	d.addr, d.up, d.down, d.last, d.queued = req.addr, 0, 0, nil, nil
	if n.gen.recent == d {
		n.gen.recent = nil
	}
	n.publish(n.gen.notice(dataapi.Info, d, req.packet, "Device has joined the network", r.At), s)
}

// reject notes why something was not accepted, and warns the sender and whoever wants warnings.
func (n *NS) reject(s *stream, r *Received, o Outcome, d *device, p *packet, text string) {
	r.Outcome, r.Reason = o, text
	n.publish(n.gen.notice(dataapi.Warning, d, p, text, r.At), s)
}

// measure fills in how long after the request, and before its deadline, the message came.
func (r *Received) measure(requested, deadline time.Time) {
	r.Requested, r.TxTime = requested, deadline
	r.Latency, r.Margin = r.At.Sub(requested), deadline.Sub(r.At)
}
