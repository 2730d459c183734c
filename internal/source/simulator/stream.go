package simulator

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// maxReceive bounds a client's message in bytes; a longer one ends the stream with close code 1009 (RFC 6455 §7.4.1).
const maxReceive = 4 << 20

// stream is one client's WebSocket. gorilla upgrades and reads; every frame is written by the one goroutine of
// [stream.write], many of them in one system call.
type stream struct {
	ns    *NS
	id    uint64
	query *query
	conn  *websocket.Conn // nil until upgraded, like net
	net   net.Conn
	wake  chan struct{}
	gone  chan struct{} // closed when the reader has ended
	wrote chan struct{} // closed when the writer has

	// The writer's own.
	out      []byte
	scratch  []byte
	taken    []item
	held     []heldFrame
	odd      bool    // whether the last frame under Disorder was held
	replay   *replay // nil: no history was asked for
	nextPong time.Time
	r        *rand.Rand
	flood    *floodWriter
	fate     *departure // to happen once out is written

	disorder atomic.Int64 // frames to come that are subject to it
	repeat   atomic.Int64
	sent     atomic.Uint64

	mu       sync.Mutex
	live     []item
	control  []byte // frames that overtake the others: PONGs
	stalled  bool
	stallEnd time.Time // zero: until Resume
	overflow bool
	leaving  *departure
	why      string
}

func newStream(n *NS, id uint64, q *query) *stream {
	s := &stream{
		ns: n, id: id, query: q,
		wake: make(chan struct{}, 1), gone: make(chan struct{}), wrote: make(chan struct{}),
		r: chance(n.cfg.Seed, chanceStream+id<<8),
	}
	if n.flood != nil {
		s.flood = n.flood.writer(q)
	}
	return s
}

// serve runs the stream over the connection until either end has had enough.
func (s *stream) serve(conn *websocket.Conn) {
	s.attach(conn)
	go s.write()
	s.read()
	close(s.gone)
	_ = s.net.Close() // a writer stuck in this connection comes back with an error
	<-s.wrote
}

// attach takes the connection; what was queued before it waits for the writer.
func (s *stream) attach(conn *websocket.Conn) {
	conn.SetReadLimit(maxReceive)
	conn.SetPingHandler(func(data string) error { s.pong(data); return nil })
	conn.SetPongHandler(func(string) error { return nil })
	conn.SetCloseHandler(func(code int, _ string) error { s.echoClose(code); return nil })
	s.nextPong = time.Now().Add(s.ns.cfg.PongInterval)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.net = conn, conn.NetConn()
	if s.leaving != nil && s.leaving.how != CloseFrame {
		cut(s.net, s.leaving.how)
	}
}

func (s *stream) read() {
	for {
		_, data, err := s.conn.ReadMessage()
		if err != nil {
			s.because(readEnd(err))
			return
		}
		if !s.isLeaving() {
			s.ns.receive(s, data)
		}
	}
}

func readEnd(err error) string {
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &closed):
		return fmt.Sprintf("client closed with code %d", closed.Code)
	case errors.Is(err, io.EOF):
		return "client hung up"
	default:
		return "read: " + err.Error()
	}
}

// write is the writer: it composes what is due, writes it at once, and waits for more.
func (s *stream) write() {
	defer close(s.wrote)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wait := s.compose(time.Now())
		busy, err := s.flush()
		if err != nil {
			s.because("write: " + err.Error())
			_ = s.net.Close()
			return
		}
		if s.fate != nil {
			s.depart(s.fate)
			return
		}
		if busy {
			continue
		}
		timer.Reset(wait)
		select {
		case <-s.wake:
		case <-timer.C:
		case <-s.gone:
			return
		}
	}
}

// flush writes what was composed, and under flood the next batch; busy tells whether there was anything.
func (s *stream) flush() (busy bool, err error) {
	if len(s.out) > 0 {
		busy = true
		if _, err = s.net.Write(s.out); err != nil {
			return busy, err
		}
		if cap(s.out) > 1<<20 {
			s.out = nil
		}
	}
	if s.flood == nil || s.flood.plan.held.Load() || s.fate != nil || s.silent() {
		return busy, nil
	}
	batch, frames := s.flood.batchNext()
	if frames == 0 {
		return busy, nil
	}
	if _, err = s.net.Write(batch); err != nil {
		return true, err
	}
	s.sent.Add(uint64(frames))
	s.ns.counters.sent.Add(uint64(frames))
	s.ns.changes.announce()
	return true, nil
}

// offer queues frames. A client that lets too many wait is dropped; while the stream is stalled on request they are
// dropped instead, and the client when the stall ends: history has them.
func (s *stream) offer(items []item) {
	if len(items) == 0 {
		return
	}
	s.mu.Lock()
	full := len(s.live)+len(items) > s.ns.cfg.QueueLimit
	if full {
		s.overflow = true
	} else {
		s.live = append(s.live, items...)
	}
	drop := s.overflow && !s.stalled
	s.mu.Unlock()
	if drop {
		s.leave(departure{CloseFrame, closeTryAgainLater, "client reads too slowly"})
		return
	}
	s.nudge()
}

func (s *stream) pong(data string) {
	s.mu.Lock()
	if !s.stalled {
		s.control = appendFrame(s.control, opPong, []byte(data))
	}
	s.mu.Unlock()
	s.nudge()
}

func (s *stream) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *stream) silent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stalled
}
