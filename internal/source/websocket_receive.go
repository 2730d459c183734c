package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/gorilla/websocket"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// receive turns what arrives into frames until the connection ends.
func (s *webSocket) receive() {
	defer close(s.received)
	defer s.link.leave()
	s.end(s.explain(s.readMessages()))
}

// readMessages returns why reading cannot go on. Once the session is over it only looks for the peer's leave:
// NextReader skips what is left of a message.
func (s *webSocket) readMessages() error {
	for {
		kind, r, err := s.conn.NextReader()
		if err != nil {
			return err
		}
		if s.over() {
			continue
		}
		s.heard()
		if err := s.readMessage(kind, r); err != nil {
			return err
		}
	}
}

func (s *webSocket) readMessage(kind int, r io.Reader) error {
	buf, whole, err := s.readUpTo(s.options.MaxFrameBytes, r)
	if err != nil {
		return err
	}
	if !whole {
		return s.skip(buf, r)
	}
	if kind != websocket.TextMessage {
		s.discard(DiscardBinary, buf, nil)
		return nil
	}
	envelope, err := dataapi.Scan(buf)
	if err != nil {
		s.discard(reasonFor(err), buf, err)
		return nil
	}
	s.put(&Frame{Raw: s.slab.take(buf), Envelope: envelope, Received: s.link.received})
	return nil
}

// put hands a frame on. A session whose own reader is slow waits without its turn.
func (s *webSocket) put(f *Frame) {
	if !s.intake.tryPut(f, false) {
		s.link.leave()
		s.intake.put(f, s.ending)
		s.link.enter()
	}
}

// readUpTo reads a message of at most limit bytes into a buffer of the slab. A longer one is not whole: limit bytes of
// it are in the buffer, and one more has been read.
func (s *webSocket) readUpTo(limit int, r io.Reader) (buf []byte, whole bool, err error) {
	buf = s.slab.open(s.link.received)
	for {
		room := buf[len(buf):min(cap(buf), limit)]
		switch {
		case len(buf) == limit:
			room = s.probe[:]
		case len(room) == 0:
			buf = s.slab.grow(buf, limit)
			continue
		}
		n, err := r.Read(room)
		if n > 0 && len(buf) == limit {
			return buf, false, nil
		}
		buf = buf[:len(buf)+n]
		switch {
		case errors.Is(err, io.EOF):
			return buf, true, nil
		case err != nil:
			return nil, false, err
		}
	}
}

// skip reads the rest of an oversize message without keeping it. Only the head of what was read before is kept.
func (s *webSocket) skip(begin []byte, r io.Reader) error {
	size := int64(len(begin) + len(s.probe))
	start := bytes.Clone(head(begin))
	rest, err := io.Copy(io.Discard, r)
	if err != nil {
		return err
	}
	s.options.Discarded(Discard{Reason: DiscardOversize, Size: size + rest, Head: start})
	return nil
}

func (s *webSocket) discard(reason DiscardReason, raw []byte, err error) {
	s.options.Discarded(Discard{Reason: reason, Size: int64(len(raw)), Head: head(raw), Err: err})
}

// heard tells of the first sign that the peer serves the stream.
func (s *webSocket) heard() { s.first.Do(func() { s.options.Reached(StageStream) }) }

// pinged leaves the PONG to transmit, so that reading never waits for writing. Only the newest PING is answered, as
// RFC 6455 §5.5.3 allows.
func (s *webSocket) pinged(payload string) error {
	select {
	case <-s.pongs:
	default:
	}
	s.pongs <- []byte(payload)
	return nil
}

// explain tells why reading failed. The connection's own failure is asked first: the library's word for it is vaguer.
func (s *webSocket) explain(err error) *EndedError {
	var leave *websocket.CloseError
	switch failure := s.link.failure; {
	case errors.Is(failure, errSilent):
		return &EndedError{Reason: EndSilence, Err: fmt.Errorf("nothing received for %s, not even a PONG", s.options.Silence)}
	case s.link.lost():
		return &EndedError{Reason: EndLost, Err: failure}
	case errors.As(err, &leave) && leave.Code != websocket.CloseAbnormalClosure:
		return &EndedError{Reason: EndCloseFrame, CloseCode: leave.Code, CloseText: leave.Text}
	case errors.Is(failure, io.EOF), leave != nil:
		return &EndedError{Reason: EndLost, Err: errors.New("the connection was closed without a close frame")}
	default:
		return &EndedError{Reason: EndProtocol, Err: err}
	}
}
