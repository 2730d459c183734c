package testkit

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

// packet is one MQTT control packet, kept as it was on the wire.
type packet struct {
	raw  []byte
	body int // where the fixed header ends
}

// readPacket reads exactly one packet. What the packet says is not judged, so that anything can be passed on. At the
// end of the stream between two packets the error is io.EOF, within one io.ErrUnexpectedEOF.
func readPacket(r *bufio.Reader) (packet, error) {
	first, err := r.ReadByte()
	if err != nil {
		return packet{}, err
	}
	raw, length := []byte{first}, 0
	for shift := 0; ; shift += 7 {
		if shift == 28 {
			return packet{}, errRemainingLength
		}
		b, err := r.ReadByte()
		if err != nil {
			return packet{}, unexpected(err)
		}
		raw = append(raw, b)
		length |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			break
		}
	}
	// The buffer grows with what arrives: a length alone makes nobody allocate 256 MB.
	p, whole := packet{body: len(raw)}, bytes.NewBuffer(raw)
	whole.Grow(min(length, 4096))
	if _, err := io.CopyN(whole, r, int64(length)); err != nil {
		return packet{}, unexpected(err)
	}
	p.raw = whole.Bytes()
	return p, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (p packet) kind() byte { return p.raw[0] >> 4 }

func (p packet) qos() byte { return p.raw[0] >> 1 & 3 }

// id is the packet identifier of a PUBACK or of a PUBLISH with a QoS above 0 (MQTT 3.1.1 §2.3.1).
func (p packet) id() (id uint16, ok bool) {
	at := p.body
	switch {
	case p.kind() == typePublish && p.qos() > 0:
		if len(p.raw) < at+2 {
			return 0, false
		}
		at += 2 + int(binary.BigEndian.Uint16(p.raw[at:])) // behind the topic
	case p.kind() != typePuback:
		return 0, false
	}
	if len(p.raw) < at+2 {
		return 0, false
	}
	return binary.BigEndian.Uint16(p.raw[at:]), true
}
