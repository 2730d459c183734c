package faultywire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// Control packet types (MQTT 3.1.1 §2.2.1) that the proxy tells apart.
const (
	typeConnect = 1
	typePublish = 3
	typePuback  = 4
)

var errRemainingLength = errors.New("the remaining length takes more than four bytes (MQTT 3.1.1 §2.2.3)")

// Packet is one MQTT control packet.
type Packet struct {
	Raw  []byte // as it was on the wire
	body int    // where the fixed header ends
}

// ReadPacket reads exactly one packet. What the packet says is not judged, so that anything can be passed on. At the
// end of the stream between two packets the error is io.EOF, within one io.ErrUnexpectedEOF.
func ReadPacket(r *bufio.Reader) (Packet, error) {
	first, err := r.ReadByte()
	if err != nil {
		return Packet{}, err
	}
	raw, length := []byte{first}, 0
	for shift := 0; ; shift += 7 {
		if shift == 28 {
			return Packet{}, errRemainingLength
		}
		b, err := r.ReadByte()
		if err != nil {
			return Packet{}, unexpected(err)
		}
		raw = append(raw, b)
		length |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			break
		}
	}
	// The buffer grows with what arrives: a length alone makes nobody allocate 256 MB.
	p, whole := Packet{body: len(raw)}, bytes.NewBuffer(raw)
	whole.Grow(min(length, 4096))
	if _, err := io.CopyN(whole, r, int64(length)); err != nil {
		return Packet{}, unexpected(err)
	}
	p.Raw = whole.Bytes()
	return p, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (p Packet) kind() byte { return p.Raw[0] >> 4 }

// QoS is a PUBLISH's (MQTT 3.1.1 §3.3.1.2).
func (p Packet) QoS() byte { return p.Raw[0] >> 1 & 3 }

// Retain tells whether a PUBLISH asks the broker to retain it (MQTT 3.1.1 §3.3.1.3).
func (p Packet) Retain() bool { return p.Raw[0]&1 != 0 }

// ID is the packet identifier of a PUBACK or of a PUBLISH with a QoS above 0 (MQTT 3.1.1 §2.3.1).
func (p Packet) ID() (id uint16, ok bool) {
	at := p.body
	switch {
	case p.kind() == typePublish && p.QoS() > 0:
		_, rest, ok := p.topic()
		if !ok {
			return 0, false
		}
		at = len(p.Raw) - len(rest)
	case p.kind() != typePuback:
		return 0, false
	}
	if len(p.Raw) < at+2 {
		return 0, false
	}
	return binary.BigEndian.Uint16(p.Raw[at:]), true
}

// Message is the topic and the payload of a PUBLISH (MQTT 3.1.1 §3.3.2, §3.3.3); not ok for anything else. The payload
// is a part of Raw.
func (p Packet) Message() (topic string, payload []byte, ok bool) {
	name, rest, ok := p.topic()
	if !ok || p.kind() != typePublish {
		return "", nil, false
	}
	if p.QoS() > 0 {
		if len(rest) < 2 {
			return "", nil, false
		}
		rest = rest[2:] // behind the packet identifier
	}
	return string(name), rest, true
}

// topic splits what follows the fixed header of a PUBLISH behind the topic name.
func (p Packet) topic() (name, rest []byte, ok bool) {
	body := p.Raw[p.body:]
	if len(body) < 2 {
		return nil, nil, false
	}
	end := 2 + int(binary.BigEndian.Uint16(body))
	if len(body) < end {
		return nil, nil, false
	}
	return body[2:end], body[end:], true
}
