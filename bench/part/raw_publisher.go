package part

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// RawPublisherAcknowledged is the raw publisher's count of PUBACKs.
const RawPublisherAcknowledged = "raw_publisher_acknowledged_total"

// RawPublisher is the peer that shows what the protocol can do on this machine: packets from memory, a socket, a
// window, and one write for all that the window has room for.
type RawPublisher struct {
	Listen string // where its numbers are; nothing listens there before it is connected
	Broker string // host:port
	Window int    // publishes without PUBACK
	Held   bool   // it publishes nothing before SIGUSR1
	Flood  Flood
}

// Run publishes as many messages as the flood has at QoS 1, then waits for ctx to end. The messages are the flood's
// first [Cycle] over and over.
func (p RawPublisher) Run(ctx context.Context) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	defer signal.Stop(signals)
	frames, err := p.Flood.prebuild(Cycle)
	if err != nil {
		return err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.Broker)
	if err != nil {
		return fmt.Errorf("connect to the broker: %w", err)
	}
	defer conn.Close()
	var acknowledged atomic.Uint64
	session, err := openRawSession(conn, frames, p.Window, &acknowledged)
	if err != nil {
		return fmt.Errorf("connect to the broker on %s: %w", p.Broker, err)
	}
	return show(ctx, p.Listen, []number{{RawPublisherAcknowledged, &acknowledged}}, func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		defer stop()
		if p.Held {
			select {
			case <-signals:
			case <-ctx.Done():
			}
		}
		if err := session.publish(p.Flood.Frames); err != nil && ctx.Err() == nil {
			return fmt.Errorf("publish to the broker on %s: %w", p.Broker, err)
		}
		<-ctx.Done()
		return nil
	})
}

// rawSession is an MQTT 3.1.1 session that does nothing but publish at QoS 1.
type rawSession struct {
	conn         net.Conn
	in           *bufio.Reader
	packets      []publishPacket
	window       uint64
	out          []byte // what is written next
	sent         uint64
	acknowledged *atomic.Uint64
}

// openRawSession sends CONNECT and waits for CONNACK.
func openRawSession(conn net.Conn, frames []prebuilt, window int, acknowledged *atomic.Uint64) (*rawSession, error) {
	s := &rawSession{conn: conn, in: bufio.NewReader(conn), window: uint64(window), acknowledged: acknowledged}
	for _, f := range frames {
		s.packets = append(s.packets, encodePublish(f.topic, f.frame))
	}
	connect := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	connect.ProtocolName, connect.ProtocolVersion, connect.CleanSession, connect.ClientIdentifier = "MQTT", 4, true, "bench-raw-publisher"
	if err := connect.Write(conn); err != nil {
		return nil, fmt.Errorf("send CONNECT: %w", err)
	}
	answer, err := packets.ReadPacket(s.in)
	if err != nil {
		return nil, fmt.Errorf("read CONNACK: %w", err)
	}
	connack, is := answer.(*packets.ConnackPacket)
	if !is {
		return nil, fmt.Errorf("%v came in place of CONNACK", answer)
	}
	if connack.ReturnCode != packets.Accepted {
		return nil, fmt.Errorf("refused: %s", packets.ConnackReturnCodes[connack.ReturnCode])
	}
	return s, nil
}

// publish sends the packets in turn, so many in all, and returns when all of them are acknowledged.
func (s *rawSession) publish(count uint64) error {
	for done := uint64(0); done < count; done = s.acknowledged.Load() {
		if err := s.fill(min(count, done+s.window)); err != nil {
			return err
		}
		if err := s.settle(); err != nil {
			return err
		}
	}
	return nil
}

// fill writes all packets up to a number at once.
func (s *rawSession) fill(upTo uint64) error {
	s.out = s.out[:0]
	for ; s.sent < upTo; s.sent++ {
		s.out = s.packets[s.sent%uint64(len(s.packets))].appendTo(s.out, packetID(s.sent))
	}
	if len(s.out) == 0 {
		return nil
	}
	if _, err := s.conn.Write(s.out); err != nil {
		return fmt.Errorf("write publishes up to %d: %w", s.sent, err)
	}
	return nil
}

// settle waits for a PUBACK, and takes those that have come with it. They come in the order of the publishes (MQTT 3.1.1
// §4.6).
func (s *rawSession) settle() error {
	var packet [4]byte
	for {
		if _, err := io.ReadFull(s.in, packet[:]); err != nil {
			return fmt.Errorf("read a PUBACK: %w", err)
		}
		id, err := decodePuback(packet)
		if err != nil {
			return err
		}
		n := s.acknowledged.Load()
		if n == s.sent {
			return errors.New("a PUBACK came for what was not published")
		}
		if due := packetID(n); id != due {
			return fmt.Errorf("the PUBACK of %d came, that of %d is due", id, due)
		}
		s.acknowledged.Store(n + 1)
		if s.in.Buffered() < len(packet) {
			return nil
		}
	}
}
