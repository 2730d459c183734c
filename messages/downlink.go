package messages

import "time"

// DownlinkArrived brings the subscriber a message that the broker sent on topic_down.
type DownlinkArrived struct {
	Topic   string
	Payload []byte
	At      time.Time
}

// ForwardDownlink has the ns-reader send a message to the Network Server, byte for byte.
type ForwardDownlink struct {
	Payload   []byte
	ArrivedAt time.Time
}
