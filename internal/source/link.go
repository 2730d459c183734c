package source

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/lorry-mqtt/lorry/internal/turns"
)

// maxHandshakeBytes bounds what a server may answer the opening handshake with.
const maxHandshakeBytes = 64 << 10

var (
	errSilent           = errors.New("silent")
	errHandshakeTooLong = errors.New("the answer to the upgrade request is longer than 64 KiB")
)

// link is the network connection below TLS and WebSocket. It gives every read its deadline: a peer that sends nothing
// at all for the length of silence is dead, and any byte is a sign of life, be it part of a frame, a PONG or a TLS
// record. A session that does not read, because its own reader is slow, sets no deadline and so accuses nobody.
type link struct {
	net.Conn
	silence time.Duration // 0 during the handshake, which has a deadline of its own
	budget  int           // bytes that the handshake may still read

	turns turns.Turns
	turn  bool // the reading goroutine has its turn

	received time.Time // of the last bytes; for the reading goroutine
	began    time.Time
	heard    atomic.Int64 // the same, in nanoseconds since began; for all
	failure  error        // of the last read; for the reading goroutine
}

// stream ends the handshake.
func (l *link) stream(o *WebSocketOptions) {
	l.silence, l.turns, l.began = o.Silence, o.Turns, time.Now()
}

// silent is for how long nothing has arrived.
func (l *link) silent() time.Duration { return time.Since(l.began) - time.Duration(l.heard.Load()) }

// enter waits for the reading goroutine's turn, which it has whenever it does not wait for anything else.
func (l *link) enter() {
	if !l.turn {
		_ = l.turns.Take(context.Background())
		l.turn = true
	}
}

// leave ends the turn, if it is one.
func (l *link) leave() {
	if l.turn {
		l.turns.Leave()
		l.turn = false
	}
}

func (l *link) Read(p []byte) (int, error) {
	if l.silence == 0 {
		return l.readHandshake(p)
	}
	err := l.SetReadDeadline(time.Now().Add(l.silence))
	n := 0
	if err == nil {
		l.leave()
		n, err = l.Conn.Read(p)
		l.enter()
	}
	if n > 0 {
		l.received = time.Now()
		l.heard.Store(int64(l.received.Sub(l.began)))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errSilent
	}
	l.failure = err
	return n, err
}

func (l *link) readHandshake(p []byte) (int, error) {
	if l.budget <= 0 {
		return 0, errHandshakeTooLong
	}
	n, err := l.Conn.Read(p[:min(len(p), l.budget)])
	l.budget -= n
	l.received = time.Now()
	return n, err
}

// lost reports whether the connection itself failed, as opposed to what came over it.
func (l *link) lost() bool { return l.failure != nil && !errors.Is(l.failure, io.EOF) }
