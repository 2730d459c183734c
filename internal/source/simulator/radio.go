package simulator

import (
	"math/rand/v2"
	"strconv"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// blocks are the parts of params that a client asks for: `radio` with radio=1, `lora` with lora=1.
func (w *world) blocks(m *message, v view, size int) (kids []node) {
	if v.radio {
		kids = append(kids, w.radioBlock(chance(m.seed, chanceRadio+uint64(v.copy)<<8), m, v, size+13))
	}
	if v.lora {
		kids = append(kids, loraBlock(chance(m.seed, chanceRadio+1<<32), m))
	}
	return kids
}

// channels are the EU868 uplink channels in MHz.
var channels = []float64{868.1, 868.3, 868.5, 867.1, 867.3, 867.5, 867.7, 867.9}

// radioBlock describes one gateway's reception: each copy has its own. size is that of the PHYPayload.
func (w *world) radioBlock(r *rand.Rand, m *message, v view, size int) node {
	rate, channel := dataRate(m), int(mix(m.packet.hash[1])%8)
	freq := channels[channel]
	if m.kind == dataapi.Downlink && r.IntN(4) == 0 {
		rate, freq = 0, 869.525 // RX2
	}
	kind := raw("type", "0")
	if r.IntN(2) == 0 {
		kind = str("type", "LORA")
	}
	hardware := []node{
		whole("status", 1), whole("chain", r.Uint64N(2)), whole("tmst", r.Uint64N(1<<32)),
		decimal(r, "snr", r.Float64()*30-20, r.IntN(2)), decimal(r, "rssi", -40-r.Float64()*90, 0),
		whole("channel", uint64(channel)),
	}
	if m.kind == dataapi.Downlink {
		hardware = append(hardware, whole("power", 14))
	}
	where := chance(uint64(m.packet.gateway+v.copy), chanceWorld) // a gateway stays where it is
	hardware = append(hardware, obj("gps", decimal(where, "lat", where.Float64()*180-90, 6),
		decimal(where, "lng", where.Float64()*360-180, 6), decimal(where, "alt", where.Float64()*900, 0)))
	gps := m.timeOf(v.copy)/1e6 - 315_964_800 + 18 // seconds since 1980-01-06, leap seconds counted
	return obj("radio",
		decimal(r, "freq", freq, 3), raw("time", unixFull(m.timeOf(v.copy)-20_000-r.Int64N(180_000), "")),
		whole("datarate", uint64(rate)), whole("size", uint64(size)), raw("gps_time", strconv.FormatInt(gps, 10)),
		decimal(r, "delay", r.Float64()*0.2, 1+r.IntN(15)),
		obj("modulation", kind, whole("bandwidth", 125_000), whole("spreading", uint64(12-rate)),
			str("coderate", "4/5"), raw("inverted", strconv.FormatBool(m.kind == dataapi.Downlink))),
		obj("hardware", hardware...))
}

var (
	macUp   = []string{"link_adr_ans", "dev_status_ans", "link_check_req", "rx_param_setup_ans"}
	macDown = []string{"link_adr_req", "dev_status_req", "link_check_ans", "rx_param_setup_req"}
)

// loraBlock is the frame header and the MAC commands (LoRaWAN 1.0.4 §4.3, §5).
func loraBlock(r *rand.Rand, m *message) node {
	flag := func(key string) node { return raw(key, strconv.FormatBool(r.IntN(2) == 0)) }
	names, mtype := macUp, uint64(2+2*r.IntN(2))
	header := []node{flag("class_b"), flag("adr"), flag("ack"), flag("adr_ack_req"), whole("version", 0)}
	confirmed := mtype == 4
	if m.kind == dataapi.Downlink {
		names, confirmed = macDown, m.answer != nil && m.answer.confirmed
		mtype = 3
		if confirmed {
			mtype = 5
		}
		header = append(header, raw("pending", strconv.FormatBool(m.answer != nil && m.answer.pending)))
	}
	header = append(header, raw("confirmed", strconv.FormatBool(confirmed)), whole("type", mtype))
	commands := make([]node, r.IntN(3))
	for i := range commands {
		commands[i] = obj("", str("command", names[r.IntN(len(names))]), str("value", hex(r.Uint64(), 2+2*r.IntN(3))))
	}
	return obj("lora", obj("header", header...), list("mac_commands", commands...))
}
