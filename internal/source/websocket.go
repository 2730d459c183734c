package source

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// leaveWait is how long a session that ends waits for each of: its close frame to be written, the peer's answer.
const leaveWait = time.Second

// webSocket is a Session over one WebSocket connection. Two goroutines carry it: receive (websocket_receive.go) reads
// the connection, transmit (websocket_transmit.go) does everything else to it and closes it. Whichever meets the end
// first calls end; both are gone when done is closed.
type webSocket struct {
	options WebSocketOptions // with defaults
	conn    *websocket.Conn
	link    *link

	intake *intake
	slab   slab
	probe  [1]byte

	writes chan *message // unbuffered: who is heard is written at once
	pongs  chan []byte   // payload of the newest PING to answer

	first    sync.Once // the first sign of life is told of
	endOnce  sync.Once
	cause    *EndedError   // readable when ending is closed
	ending   chan struct{} // closed when the session is over
	received chan struct{} // closed when nothing will be received any more
	done     chan struct{} // closed when both goroutines are through
}

// message is one text message to send. Its result is always answered, and nobody has to wait for it.
type message struct {
	payload []byte
	result  chan error
}

func newWebSocket(o WebSocketOptions, conn *websocket.Conn, l *link) *webSocket {
	s := &webSocket{
		options:  o,
		conn:     conn,
		link:     l,
		intake:   newIntake(),
		writes:   make(chan *message),
		pongs:    make(chan []byte, 1),
		ending:   make(chan struct{}),
		received: make(chan struct{}),
		done:     make(chan struct{}),
	}
	conn.SetPingHandler(s.pinged)
	conn.SetPongHandler(func(string) error { s.heard(); return nil })
	conn.SetCloseHandler(func(int, string) error { return nil }) // transmit answers it
	go s.receive()
	go s.transmit()
	return s
}

// Read implements Session.
func (s *webSocket) Read(ctx context.Context) ([]Frame, error) {
	for {
		if frames := s.intake.take(); frames != nil {
			return frames, nil
		}
		select {
		case <-s.intake.ready:
		case <-s.received:
			if frames := s.intake.take(); frames != nil {
				return frames, nil
			}
			return nil, s.cause
		case <-ctx.Done():
			return nil, fmt.Errorf("read from Network Server: %w", context.Cause(ctx))
		}
	}
}

// Write implements Session. A payload longer than 16 KiB goes out as a fragmented message (RFC 6455 §5.4).
func (s *webSocket) Write(ctx context.Context, payload []byte) error {
	m := &message{payload: bytes.Clone(payload), result: make(chan error, 1)}
	select {
	case s.writes <- m:
	case <-s.ending:
		return fmt.Errorf("write to Network Server: %w", s.cause)
	case <-ctx.Done():
		return fmt.Errorf("write to Network Server: nothing sent: %w", context.Cause(ctx))
	}
	select {
	case err := <-m.result:
		return err
	case <-ctx.Done():
		return fmt.Errorf("write to Network Server: not known whether sent: %w", context.Cause(ctx))
	}
}

// Close implements Session.
func (s *webSocket) Close() error {
	s.end(&EndedError{Reason: EndClosed})
	// A write that hangs would hold up the leave for the whole write timeout.
	hurry := time.AfterFunc(2*leaveWait, func() { _ = s.link.Close() })
	defer hurry.Stop()
	<-s.done
	return nil
}

// end ends the session for the reason given, unless it has ended for another.
func (s *webSocket) end(cause *EndedError) {
	s.endOnce.Do(func() {
		s.cause = cause
		close(s.ending)
	})
}

func (s *webSocket) over() bool {
	select {
	case <-s.ending:
		return true
	default:
		return false
	}
}
