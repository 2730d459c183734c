package source

import (
	"fmt"
	"time"

	"github.com/gorilla/websocket"
)

// transmit writes messages, PINGs and PONGs until the session is over, then takes leave and closes the connection.
func (s *webSocket) transmit() {
	defer close(s.done)
	ping := time.NewTimer(s.options.PingInterval)
	defer ping.Stop()
	for {
		select {
		case <-s.ending:
			s.leave()
			return
		case m := <-s.writes:
			m.result <- s.send(m.payload)
		case payload := <-s.pongs:
			s.control(websocket.PongMessage, payload)
		case <-ping.C:
			silent := s.link.silent()
			if silent >= s.options.PingInterval {
				s.control(websocket.PingMessage, nil)
				silent = 0
			}
			ping.Reset(s.options.PingInterval - silent)
		}
	}
}

func (s *webSocket) send(payload []byte) error {
	// SetWriteDeadline only notes the deadline for the next write; it cannot fail.
	_ = s.conn.SetWriteDeadline(time.Now().Add(s.options.WriteTimeout))
	if err := s.conn.WriteMessage(websocket.TextMessage, payload); err != nil {
		s.unwritten(err)
		return fmt.Errorf("write %d bytes to Network Server: not known whether sent: %w", len(payload), s.cause)
	}
	return nil
}

func (s *webSocket) control(kind int, payload []byte) {
	if err := s.conn.WriteControl(kind, payload, time.Now().Add(s.options.WriteTimeout)); err != nil {
		s.unwritten(err)
	}
}

// unwritten ends the session after a failed write: part of a message may be on the wire, so nothing can follow it.
// What is written to a peer that has left fails before its close frame is read, which says more than the failure:
// the receiving side gets a moment to find it.
func (s *webSocket) unwritten(err error) {
	moment := time.NewTimer(leaveWait)
	defer moment.Stop()
	select {
	case <-s.received:
	case <-s.ending:
	case <-moment.C:
	}
	s.end(&EndedError{Reason: EndWrite, Err: fmt.Errorf("write to Network Server: %w", err)})
}

// leave closes the connection, with the closing handshake (RFC 6455 §7) where there is somebody to shake hands with,
// and waits until nothing is received any more.
func (s *webSocket) leave() {
	switch s.cause.Reason {
	case EndClosed:
		s.closeFrame(websocket.CloseNormalClosure)
		s.awaitLeave()
	case EndCloseFrame:
		s.closeFrame(s.cause.CloseCode)
	}
	_ = s.link.Close() // nothing is lost that was not already
	<-s.received
}

func (s *webSocket) closeFrame(code int) {
	// A peer that cannot be told finds out when the connection closes.
	_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(leaveWait))
}

// awaitLeave gives the peer time to answer the close frame. Closing at once would reset the connection if anything
// unread is left in it, and with it what was written last.
func (s *webSocket) awaitLeave() {
	wait := time.NewTimer(leaveWait)
	defer wait.Stop()
	select {
	case <-s.received:
	case <-wait.C:
	}
}
