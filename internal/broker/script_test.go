package broker_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/lorry-mqtt/lorry/internal/broker"
)

// script is a broker that says what a test tells it to, over a pipe or a TCP connection.
type script struct {
	t    testing.TB
	conn net.Conn
	over <-chan struct{} // closed when the test ends
}

// scripted returns options with which Connect reaches play, which runs in a goroutine of its own once dialed. The wire
// is a pipe: it has no buffers, and its deadlines follow the clock of a synctest bubble.
func scripted(t testing.TB, play func(*script)) broker.Options {
	t.Helper()
	o := options(t, "mqtt://scripted.example")
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	o.Dial = func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			play(&script{t: t, conn: there, over: over})
		}()
		return here, nil
	}
	return o
}

// accept reads the CONNECT and answers it.
func (s *script) accept() *packets.ConnectPacket {
	connect, ok := s.next().(*packets.ConnectPacket)
	if !ok {
		s.t.Error("the first packet is not a CONNECT")
		return nil
	}
	s.send(0x20, 2, 0, 0)
	return connect
}

// next reads a packet; nil at the end of the stream.
func (s *script) next() packets.ControlPacket {
	packet, err := packets.ReadPacket(s.conn)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, io.ErrUnexpectedEOF) {
		s.t.Errorf("the client sent what is no packet: %v", err)
	}
	return packet
}

// nextID reads a packet and returns its identifier.
func (s *script) nextID() uint16 {
	packet := s.next()
	if packet == nil {
		s.t.Error("the client has gone")
		return 0
	}
	return packet.Details().MessageID
}

// pause says nothing, and reads nothing, for a time.
func (s *script) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.over:
	}
}

// drain reads packets until the client has gone.
func (s *script) drain() {
	for s.next() != nil {
	}
}

// send writes bytes; a client that has gone does not mind.
func (s *script) send(raw ...byte) { _, _ = s.conn.Write(raw) }

func (s *script) puback(id uint16) { s.send(0x40, 2, byte(id>>8), byte(id)) }
