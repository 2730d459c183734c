package part

import (
	"encoding/binary"
	"fmt"
	"math"
)

// publishPacket is a PUBLISH of QoS 1 (MQTT 3.1.1 §3.3), complete but for its packet identifier.
type publishPacket struct {
	bytes []byte
	id    int // where the identifier is
}

const (
	publishQoS1 = 3<<4 | 1<<1 // DUP and RETAIN are 0
	puback      = 4 << 4
	idBytes     = 2
)

func encodePublish(topic string, payload []byte) publishPacket {
	b := appendRemainingLength([]byte{publishQoS1}, idBytes+len(topic)+idBytes+len(payload))
	b = binary.BigEndian.AppendUint16(b, uint16(len(topic)))
	b = append(b, topic...)
	id := len(b)
	b = append(b, 0, 0)
	return publishPacket{bytes: append(b, payload...), id: id}
}

// appendTo appends the packet with its identifier.
func (p publishPacket) appendTo(dst []byte, id uint16) []byte {
	at := len(dst) + p.id
	dst = append(dst, p.bytes...)
	binary.BigEndian.PutUint16(dst[at:], id)
	return dst
}

// appendRemainingLength appends a length as MQTT 3.1.1 §2.2.3 has it.
func appendRemainingLength(dst []byte, length int) []byte {
	for length > 0x7f {
		dst = append(dst, byte(length)|0x80)
		length >>= 7
	}
	return append(dst, byte(length))
}

// packetID is the identifier of the nth publish, counted from 0: never 0 (MQTT 3.1.1 §2.3.1).
func packetID(n uint64) uint16 {
	return uint16(n%math.MaxUint16) + 1
}

// decodePuback returns the identifier that a PUBACK acknowledges (MQTT 3.1.1 §3.4).
func decodePuback(packet [4]byte) (uint16, error) {
	if packet[0] != puback || packet[1] != idBytes {
		return 0, fmt.Errorf("%x came in place of a PUBACK", packet)
	}
	return binary.BigEndian.Uint16(packet[2:]), nil
}
