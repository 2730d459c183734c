package simulator

import (
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// message is what happened, not how it is written: any view of it can be rendered again, to the same bytes, from
// these facts and its seed. It never changes once it is published.
type message struct {
	n      uint64 // order of generation, from 1
	kind   dataapi.Type
	at     time.Time // when it was generated, by the NS's clock
	time   int64     // meta.time in microseconds
	seed   uint64
	device *device // nil: the message names none
	packet *packet // nil: it belongs to no radio packet
	copies int     // gateways that heard it, at least 1
	addr   uint32  // DevAddr at that time; a join_request holds the one offered
	port   uint8
	count  uint32 // FCntUp or FCntDown

	payload []byte  // of an uplink; nil: by seed
	answer  *answer // of a downlink; nil: a bare acknowledgement
	tx      int64   // tx_time in microseconds
	text    string  // of info, warning, error
	code    int
	private uint64 // the one stream that gets it; 0: all that match
}

// answer is the payload of a downlink_response.
type answer struct {
	payload   string // as the AS wrote it; one of the two is empty
	encrypted string
	port      uint8
	confirmed bool
	pending   bool
}

// timeOf is the meta.time of a copy: each further gateway's arrives a few milliseconds later.
func (m *message) timeOf(number int) int64 {
	if number == 0 {
		return m.time
	}
	return m.time + int64(number)*1000 + int64(mix(m.seed, uint64(number))%4000)
}

// frames is the number of frames that the message makes for a stream.
func (m *message) frames(duplicate bool) int {
	if duplicate && m.kind == dataapi.Uplink {
		return m.copies
	}
	return 1
}

// kept tells whether the NS's history keeps the type for long.
func (m *message) kept() bool { return m.kind == dataapi.Uplink || m.kind == dataapi.Downlink }

// hasGateway tells whether the message names network, gateway and packet_id: all but location and bare errors do.
func (m *message) hasGateway() bool { return m.packet != nil && m.kind != dataapi.Location }

// Message is one generated message as it was written for a stream without radio, lora and duplicate.
type Message struct {
	// N numbers the messages in the order of their generation, from 1.
	N uint64
	// Type is the type on the wire.
	Type dataapi.Type
	// Device is the DevEUI, Gateway the best gateway's EUI, PacketID the packet_id; empty where it has none.
	Device, Gateway, PacketID string
	// At is when it was generated, by the NS's clock; Time is meta.time and TxTime params.tx_time, Unix seconds.
	At           time.Time
	Time, TxTime float64
	// Private is the one stream it is for, as an echo of a bad message is; 0: every stream that it matches.
	Private uint64
	// Raw is the frame, live.
	Raw []byte

	facts *message
}

func (w *world) export(m *message) Message {
	out := Message{
		N: m.n, Type: m.kind, At: m.at, Time: float64(m.time) / 1e6, TxTime: float64(m.tx) / 1e6, Private: m.private,
		Raw: w.render(nil, m, view{}), facts: m,
	}
	if m.device != nil {
		out.Device = m.device.eui
	}
	if m.hasGateway() {
		out.Gateway, out.PacketID = w.gatewayOf(m.packet, 0), packetID(m.packet, 0)
	}
	return out
}
