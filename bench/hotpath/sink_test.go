package hotpath

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
)

// sink is an MQTT 3.1.1 broker for one client that acknowledges everything and allocates nothing for a message.
type sink struct {
	listener net.Listener
	wanted   atomic.Int64
	had      atomic.Int64
	all      chan struct{} // gets a token when all that are wanted have been had
	over     chan error
}

func newSink(b *testing.B) *sink {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &sink{listener: l, all: make(chan struct{}, 1), over: make(chan error, 1)}
	go func() { s.over <- s.serve() }()
	b.Cleanup(func() {
		l.Close()
		if err := <-s.over; err != nil {
			b.Errorf("the broker: %v", err)
		}
	})
	return s
}

// serve serves the one client until it goes.
func (s *sink) serve() error {
	conn, err := s.listener.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	in, answers := bufio.NewReaderSize(conn, 64<<10), make([]byte, 0, 4<<10)
	for {
		if answers, err = s.answer(in, answers); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if in.Buffered() > 0 && len(answers) < cap(answers)-8 {
			continue
		}
		if _, err := conn.Write(answers); err != nil {
			return err
		}
		answers = answers[:0]
	}
}

// answer reads a packet and appends its answer.
func (s *sink) answer(in *bufio.Reader, answers []byte) ([]byte, error) {
	kind, err := in.ReadByte()
	if err != nil {
		return answers, err
	}
	length, shift := 0, 0
	for more := byte(0x80); more&0x80 != 0; shift += 7 { // MQTT 3.1.1 §2.2.3
		if more, err = in.ReadByte(); err != nil {
			return answers, err
		}
		length |= int(more&0x7f) << shift
	}
	head, err := in.Peek(min(length, 2))
	if err != nil {
		return answers, err
	}
	switch kind >> 4 {
	case 1: // CONNECT
		answers = append(answers, 0x20, 2, 0, 0)
	case 3: // PUBLISH: the identifier is behind the topic
		topic := int(head[0])<<8 | int(head[1])
		if head, err = in.Peek(2 + topic + 2); err != nil {
			return answers, err
		}
		answers = append(answers, 0x40, 2, head[2+topic], head[3+topic])
		if s.had.Add(1) == s.wanted.Load() {
			s.all <- struct{}{}
		}
	case 8: // SUBSCRIBE
		answers = append(answers, 0x90, 3, head[0], head[1], 1)
	case 12: // PINGREQ
		answers = append(answers, 0xd0, 0)
	}
	_, err = in.Discard(length)
	return answers, err
}
