package simulator

import (
	"crypto/tls"
	"encoding/binary"
	"net"
)

// The opcodes of RFC 6455 §5.2 that an NS sends.
const (
	opText  = 0x1
	opClose = 0x8
	opPong  = 0xA
)

// Close codes of RFC 6455 §7.4.1 and its registry.
const (
	closeGoingAway     = 1001
	closeTryAgainLater = 1013
)

// appendHeader appends the header of an unfragmented, unmasked frame: a server never masks (RFC 6455 §5.1).
func appendHeader(dst []byte, opcode byte, length int) []byte {
	dst = append(dst, 0x80|opcode)
	switch {
	case length < 126:
		return append(dst, byte(length))
	case length <= 0xFFFF:
		return binary.BigEndian.AppendUint16(append(dst, 126), uint16(length))
	default:
		return binary.BigEndian.AppendUint64(append(dst, 127), uint64(length))
	}
}

func appendFrame(dst []byte, opcode byte, payload []byte) []byte {
	return append(appendHeader(dst, opcode, len(payload)), payload...)
}

// appendClose appends a close frame (RFC 6455 §5.5.1).
func appendClose(dst []byte, code uint16, reason string) []byte {
	return appendFrame(dst, opClose, append(binary.BigEndian.AppendUint16(nil, code), reason...))
}

// reset ends a TCP connection by RST instead of FIN; whatever the peer had not read yet is gone. Wires that are no TCP
// are just closed.
func reset(c net.Conn) {
	under := c
	if t, ok := under.(*tls.Conn); ok {
		under = t.NetConn()
	}
	if t, ok := under.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // fails only on a connection that is closed already
	}
	_ = under.Close()
}

// halfClose says that nothing more comes, and leaves the other direction open.
func halfClose(c net.Conn) {
	if h, ok := c.(interface{ CloseWrite() error }); ok {
		_ = h.CloseWrite() // a peer that is gone already needs no goodbye
	}
}
