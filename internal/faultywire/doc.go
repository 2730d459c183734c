// Package faultywire stands between clients and servers and misbehaves on command, in every way a network does. Tests have
// its wires by internal/testkit, the soak program in bench has them directly.
//
//   - wire.go strand.go: any TCP connection, cut, stalled, half-closed, limited, refused
//   - puback.go puback_link.go packet.go: MQTT, with PUBACKs that come late, out of order or not at all
//   - port.go: a port that stays one's own while nothing listens on it
//   - changes.go: waiting for something to happen
package faultywire

// Direction is a way through a wire.
type Direction int

// The two ways through a wire or a proxy.
const (
	ToServer Direction = iota
	ToClient

	ToBroker = ToServer
)

func (d Direction) String() string { return [...]string{"to the server", "to the client"}[d] }
