package broker

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// maxInbound is the longest packet taken from a broker. MQTT allows 256 MB, which paho would allocate on the word of
// its header.
const maxInbound = 16 << 20

// inboundBuffer holds the PUBACKs of a whole usual window, at 4 bytes each; what is longer is read past it.
const inboundBuffer = 512

// Control packet types that a broker may send (MQTT 3.1.1 §2.2.1).
const (
	connack    = 2
	publish    = 3
	puback     = 4
	suback     = 9
	pingresp   = 13
	disconnect = 14
)

// inbound is the broker's stream of packets as far as a broker may send them to this client, which publishes and
// subscribes at QoS 1 at most. It ends with an error at the first packet that the standard forbids (MQTT 3.1.1 §4.8).
//
// paho, which gets all but PUBACKs, is more trusting: it takes any packet with a fitting identifier for an acknowledgement
// of whatever it sent, takes a CONNACK with an unknown code for an acceptance, and panics at a SUBACK that is too long.
// Being buffered, inbound also spares a system call for each byte of a header.
type inbound struct {
	r      *bufio.Reader
	acks   *acks  // is told of each PUBACK
	pinged func() // is told of each PINGRESP

	connected bool // the CONNACK has been seen
	left      int  // bytes of the current packet not yet read
}

func newInbound(r io.Reader, a *acks, pinged func()) *inbound {
	return &inbound{r: bufio.NewReaderSize(r, inboundBuffer), acks: a, pinged: pinged}
}

// Read reads bytes of one packet at most.
func (in *inbound) Read(p []byte) (int, error) {
	for in.left == 0 {
		size, err := in.admit()
		if err != nil {
			return 0, err
		}
		in.left = size
	}
	n, err := in.r.Read(p[:min(len(p), in.left)])
	in.left -= n
	return n, err
}

// admit looks at the beginning of the next packet and returns the packet's size, or 0 when it has passed over one.
func (in *inbound) admit() (size int, err error) {
	head, err := in.r.Peek(2)
	if err != nil {
		return 0, err
	}
	first, length := head[0], int(head[1]&0x7f)
	header := 2
	for shift := 7; head[header-1]&0x80 != 0; shift += 7 {
		if header++; header > 5 {
			return 0, violation("a remaining length of more than four bytes (MQTT 3.1.1 §2.2.3)")
		}
		if head, err = in.r.Peek(header); err != nil {
			return 0, err
		}
		length |= int(head[header-1]&0x7f) << shift
	}
	size = header + length
	if first>>4 == publish {
		return size, in.checkPublish(first, length)
	}
	keep, err := in.checkShort(first, length, header)
	if err == nil && !keep {
		_, err = in.r.Discard(size)
		size = 0
	}
	return size, err
}

func (in *inbound) checkPublish(first byte, length int) error {
	switch {
	case !in.connected:
		return violation("a PUBLISH before the CONNACK (MQTT 3.1.1 §3.2)")
	case first>>1&3 > 1:
		return violation("a PUBLISH with a higher QoS than was asked for (MQTT 3.1.1 §3.8.4)")
	case length > maxInbound:
		return violation(fmt.Sprintf("a PUBLISH of %d bytes; at most %d are accepted", length, maxInbound))
	}
	return nil
}

// checkShort looks at all other packets, whose first byte and length the standard fixes. It keeps them, except for
// PUBACKs: what they settle was not published by paho.
func (in *inbound) checkShort(first byte, length, header int) (keep bool, err error) {
	if first == disconnect<<4 { // MQTT 5 has it; some brokers say it to everybody
		return false, fmt.Errorf("%w with a DISCONNECT", ErrClosedByBroker)
	}
	if want, known := shortLength(first); !known || want != length {
		return false, violation(fmt.Sprintf("a packet of type %d with flags %04b and %d bytes", first>>4, first&0xf, length))
	}
	whole, err := in.r.Peek(header + length)
	if err != nil {
		return false, err
	}
	body := whole[header:]
	if (first>>4 == connack) == in.connected {
		return false, violation("the first packet is a CONNACK, and no other is (MQTT 3.1.1 §3.2)")
	}
	switch first >> 4 {
	case connack:
		if code := body[1]; code != 0 {
			return false, &ConnackError{Code: code}
		}
		in.connected = true
	case puback:
		in.acks.settle(binary.BigEndian.Uint16(body))
		return false, nil
	case pingresp:
		in.pinged()
	case suback:
		if in.acks.waits(binary.BigEndian.Uint16(body)) {
			return false, violation("a SUBACK with the packet identifier of a PUBLISH")
		}
	}
	return true, nil
}

// shortLength is the remaining length of the packets that have a fixed one, by their first byte.
func shortLength(first byte) (length int, known bool) {
	switch first {
	case connack << 4, puback << 4:
		return 2, true
	case suback << 4: // one filter is asked for at a time
		return 3, true
	case pingresp << 4:
		return 0, true
	}
	return 0, false
}

func violation(reason string) error { return &ProtocolError{Reason: reason} }
