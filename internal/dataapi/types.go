package dataapi

import "time"

// Type is the message type named by an envelope's `type` key. The Network Server may send types that are
// not listed here; they travel like any other.
type Type string

// The message types of the Data API.
const (
	Uplink           Type = "uplink"
	Downlink         Type = "downlink"
	DownlinkRequest  Type = "downlink_request"
	DownlinkResponse Type = "downlink_response"
	DownlinkClaim    Type = "downlink_claim"
	JoinRequest      Type = "join_request"
	JoinResponse     Type = "join_response"
	StatusRequest    Type = "status_request"
	StatusResponse   Type = "status_response"
	Status           Type = "status" // both directions: without params a request, with params a response
	Location         Type = "location"
	Error            Type = "error"
	Warning          Type = "warning"
	Info             Type = "info"
)

// Envelope is what the connector reads of one Data API message; the message itself is forwarded as it came.
// Byte slices alias the scanned message (or, where a string had escapes, a copy) and must not be written to.
type Envelope struct {
	Type   Type
	Meta   Meta
	TxTime float64 // params.tx_time in Unix seconds; 0 when absent or not a number
	Bare   bool    // params is absent, null or an empty object
}

// Meta holds the envelope's `meta` fields. A nil field is one that the message lacks, has as null, as an empty
// string, or as something that is neither string, number nor boolean. Strings are decoded, numbers and booleans
// as written.
type Meta struct {
	Network     []byte
	Application []byte
	Device      []byte
	DeviceAddr  []byte
	Gateway     []byte
	PacketHash  []byte
	PacketID    []byte
	Time        float64 // Unix seconds as the Network Server counts them; 0 when absent or not a number
	History     bool    // replayed from the Network Server's history
}

// Frame is one Data API message as it travels through the connector: its bytes as they came, which nobody may
// change, and what was read of them.
type Frame struct {
	Raw      []byte
	Envelope Envelope
	Received time.Time // when the connector first had it
}
