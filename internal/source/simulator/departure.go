package simulator

import (
	"net"
	"time"

	"github.com/gorilla/websocket"
)

// closeWait is how long a client has to take a close frame and to answer it.
const closeWait = 500 * time.Millisecond

// departure is how a stream ends.
type departure struct {
	how    Drop
	code   uint16
	reason string
}

// depart ends the connection from the writer's side.
func (s *stream) depart(d *departure) {
	if d.how != CloseFrame {
		cut(s.net, d.how)
		return
	}
	// The reader waits for the client's own close frame: closing now would make TCP reset the connection if the
	// client has sent anything meanwhile, and take the close frame with it.
	halfClose(s.net)
	_ = s.net.SetReadDeadline(time.Now().Add(closeWait))
}

func cut(c net.Conn, how Drop) {
	if how == Reset {
		reset(c)
	} else {
		_ = c.Close()
	}
}

// leave ends the stream from outside: at once, or by a close frame as soon as the writer comes to it.
func (s *stream) leave(d departure) {
	s.because(d.reason)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving != nil {
		return
	}
	s.leaving = &d
	switch {
	case s.net == nil: // not upgraded yet: attach or the writer sees to it
	case d.how == CloseFrame:
		_ = s.net.SetWriteDeadline(time.Now().Add(closeWait))
		s.nudge()
	default:
		cut(s.net, d.how)
	}
}

// echoClose answers the client's close frame (RFC 6455 §5.5.1), from the reader as the writer may be stuck.
func (s *stream) echoClose(code int) {
	if s.silent() || s.isLeaving() {
		return
	}
	_ = s.net.SetWriteDeadline(time.Now().Add(closeWait))
	if code == websocket.CloseNoStatusReceived {
		_, _ = s.net.Write(appendFrame(nil, opClose, nil))
		return
	}
	_, _ = s.net.Write(appendClose(nil, uint16(code), ""))
}

func (s *stream) isLeaving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leaving != nil
}

// because keeps the first reason given.
func (s *stream) because(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why == "" {
		s.why = reason
	}
}

func (s *stream) reason() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}
