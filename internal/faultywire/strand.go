package faultywire

import (
	"errors"
	"io"
	"net"
	"sync"
)

// strand is one connection over a wire.
type strand struct {
	wire   *Wire
	ends   [2]*net.TCPConn // by direction: who receives; set before there are pumps
	broken chan struct{}   // closed when the strand is cut

	mu     sync.Mutex
	isCut  bool
	halves [2]bool // by direction: closed by HalfClose, what comes is thrown away
}

// accept serves one listener until it is closed.
func (w *Wire) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		s := &strand{wire: w, broken: make(chan struct{})}
		s.ends[ToClient] = client.(*net.TCPConn)
		w.add(s) // before the server can know of it: what the test does then must concern this strand
		w.running.Go(s.carry)
	}
}

func (w *Wire) add(s *strand) {
	w.mu.Lock()
	w.strands[s] = true
	w.accepted++
	closed := w.closed
	w.mu.Unlock()
	w.Raise()
	if closed {
		s.cut()
	}
}

func (w *Wire) remove(s *strand) {
	w.mu.Lock()
	delete(w.strands, s)
	w.mu.Unlock()
	w.Raise()
}

// carry connects the client with the target and passes bytes on until both streams have ended.
func (s *strand) carry() {
	defer s.wire.remove(s)
	server, err := new(net.Dialer).DialContext(s.wire.ctx, "tcp", s.wire.target)
	if err != nil {
		s.cut() // what a client sees of a server behind a wire that is gone
		return
	}
	if !s.connect(server.(*net.TCPConn)) {
		return
	}
	var ways sync.WaitGroup
	ways.Go(func() { s.pump(ToServer) })
	ways.Go(func() { s.pump(ToClient) })
	ways.Wait()
	for _, end := range s.ends {
		_ = end.Close()
	}
}

// connect makes server the strand's other end, and does to it what was done to the strand while there was none. It
// reports whether there is still a strand.
func (s *strand) connect(server *net.TCPConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isCut {
		reset(server)
		return false
	}
	s.ends[ToServer] = server
	if s.halves[ToServer] {
		_ = server.CloseWrite()
	}
	return true
}

// pump passes one direction's stream on until it ends, and then its end.
func (s *strand) pump(direction Direction) {
	from, to := s.ends[1-direction], s.ends[direction]
	buf := make([]byte, 32<<10)
	for {
		if _, ok := s.enter(direction, 0); !ok { // a stalled wire does not read
			return
		}
		n, end := from.Read(buf)
		if !s.pass(direction, buf[:n]) {
			return
		}
		if end == nil {
			continue
		}
		if _, ok := s.enter(direction, 0); !ok {
			return
		}
		if errors.Is(end, io.EOF) {
			_ = to.CloseWrite()
		} else {
			s.cut()
		}
		return
	}
}

// pass writes b as the direction's gate lets it through. It reports whether the stream goes on.
func (s *strand) pass(direction Direction, b []byte) bool {
	for len(b) > 0 {
		n, ok := s.enter(direction, len(b))
		if !ok {
			return false
		}
		if s.shut(direction) {
			return true
		}
		if _, err := s.ends[direction].Write(b[:n]); err != nil {
			if s.shut(direction) {
				return true
			}
			s.cut()
			return false
		}
		s.wire.count(direction, n)
		b = b[n:]
	}
	return true
}

// enter waits until the direction's gate lets something through and returns how many of want bytes that are. Asked for
// none, it waits only while the direction is stalled. It is not ok when the strand was cut.
func (s *strand) enter(direction Direction, want int) (n int, ok bool) {
	for {
		changed := s.wire.Next() // before the gate is asked: a change in between closes it
		if n, open := s.wire.admit(direction, want); open {
			return n, true
		}
		select {
		case <-changed:
		case <-s.broken:
			return 0, false
		}
	}
}

// admit takes up to want bytes off what the direction lets through.
func (w *Wire) admit(direction Direction, want int) (n int, open bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := &w.gates[direction]
	switch {
	case g.stalled:
		return 0, false
	case want == 0 || !g.limited:
		return want, true
	}
	n = int(min(int64(want), g.allowed))
	g.allowed -= int64(n)
	return n, n > 0
}

func (w *Wire) count(direction Direction, n int) {
	w.mu.Lock()
	w.bytes[direction] += int64(n)
	w.mu.Unlock()
	w.Raise()
}

func (s *strand) halfClose(direction Direction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.halves[direction] = true
	if end := s.ends[direction]; end != nil {
		_ = end.CloseWrite()
	}
}

func (s *strand) shut(direction Direction) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.halves[direction]
}

// cut resets both connections.
func (s *strand) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isCut {
		return
	}
	s.isCut = true
	for _, end := range s.ends {
		if end != nil {
			reset(end)
		}
	}
	close(s.broken) // last: carry closes softly what it finds open
}

// reset closes the connection with RST instead of FIN.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}
