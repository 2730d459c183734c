package simulator

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// maxRequests is how many downlink_requests are remembered, so that a late response is told from an unsolicited one.
const maxRequests = 10_000

// request is a downlink_request: one opportunity to send to a device.
type request struct {
	m      *message
	answer *answer // the AS's, in time
	timer  *time.Timer
	over   bool
}

// desk is where downlinks are awaited. The NS's lock guards it.
type desk struct {
	requests map[string]*request // by packet_id
	order    []string            // oldest first
	latest   map[string]*request // by DevEUI
	joins    map[string]*message // open join_requests by DevEUI
}

func newDesk() desk {
	return desk{
		requests: make(map[string]*request), latest: make(map[string]*request), joins: make(map[string]*message),
	}
}

// stop forgets every downlink that was not transmitted yet.
func (d *desk) stop() {
	for _, req := range d.requests {
		req.over = true
		if req.timer != nil {
			req.timer.Stop()
		}
	}
}

// openRequest begins to wait for a response, or serves what was late for an earlier request. The NS is locked.
func (n *NS) openRequest(m *message) {
	req := &request{m: m}
	id := packetID(m.packet, 0)
	n.desk.requests[id] = req
	n.desk.latest[m.device.eui] = req
	n.desk.order = append(n.desk.order, id)
	if len(n.desk.order) > maxRequests {
		n.desk.forget()
	}
	if len(m.device.queued) > 0 {
		n.schedule(req, m.at)
	}
}

func (d *desk) forget() {
	old := d.requests[d.order[0]]
	delete(d.requests, d.order[0])
	d.order = d.order[1:]
	if eui := old.m.device.eui; d.latest[eui] == old {
		delete(d.latest, eui)
	}
}

// find is the request that a response is for: by packet_id, or the device's latest when it names none.
func (d *desk) find(c command) *request {
	if c.packetID == "" {
		return d.latest[strings.ToLower(c.device)]
	}
	req := d.requests[c.packetID]
	if req != nil && c.device != "" && !strings.EqualFold(c.device, req.m.device.eui) {
		return nil
	}
	return req
}

// respond judges a downlink_response.
func (n *NS) respond(s *stream, c command, r *Received) {
	req := n.desk.find(c)
	if req == nil {
		d := n.gen.byEUI[strings.ToLower(c.device)]
		n.reject(s, r, Unsolicited, d, nil, "Downlink response without a downlink request")
		return
	}
	d, p := req.m.device, req.m.packet
	r.Device, r.PacketID = d.eui, packetID(p, 0)
	r.measure(req.m.at, time.UnixMicro(req.m.tx))
	size, err := payloadSize(c.answer.payload + c.answer.encrypted)
	switch late := r.At.UnixMicro() >= req.m.tx; {
	case err != nil:
		n.reject(s, r, Bad, d, p, "Downlink payload is not base64: "+err.Error())
	case size > maxSize(req.m):
		n.reject(s, r, Bad, d, p,
			fmt.Sprintf("Downlink payload is too long: %d bytes where %d fit", size, maxSize(req.m)))
	case late && c.queueIfLate:
		r.Outcome, r.Reason = Queued, "waits for the next downlink request"
		d.queued = append(d.queued, &c.answer)
		n.publish(n.gen.notice(dataapi.Info, d, p, "Downlink response is late and was queued", r.At), s)
	case late:
		n.reject(s, r, Late, d, p,
			fmt.Sprintf("Downlink response is late by %.3f s: not transmitted", -r.Margin.Seconds()))
	case req.answer != nil || req.over:
		n.reject(s, r, Unsolicited, d, p, "Downlink request was answered already")
	default:
		req.answer = &c.answer
		n.schedule(req, r.At)
	}
}

// payloadSize judges as the NS does: base64, padded or not, in either alphabet.
func payloadSize(text string) (int, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	b, err := base64.RawStdEncoding.DecodeString(text)
	return len(b), err
}

// schedule transmits at tx_time. The NS is locked.
func (n *NS) schedule(req *request, now time.Time) {
	if req.timer == nil {
		wait := time.Duration(req.m.tx-now.UnixMicro()) * time.Microsecond
		req.timer = time.AfterFunc(wait, func() { n.transmit(req) })
	}
}

// transmit sends the answer to the device, or one that was queued for it, and tells the AS by a downlink message with
// the packet_id of the request.
func (n *NS) transmit(req *request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if req.over {
		return
	}
	req.over = true
	d, a := req.m.device, req.answer
	if a == nil && len(d.queued) > 0 {
		a, d.queued = d.queued[0], d.queued[1:]
	}
	if a == nil {
		return
	}
	m := n.gen.blank(n.gen.reactions, dataapi.Downlink, n.cfg.Now())
	m.device, m.addr, m.packet, m.answer = d, d.addr, req.m.packet, a
	m.port, m.count = a.port, d.down
	d.down++
	m.packet.answered = true
	n.counters.transmitted.Add(1)
	n.publish(m, nil)
}
