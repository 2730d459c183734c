package broker

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

const (
	// maxPending is how many bytes of packets wait for the network before writers have to wait, too. A packet longer
	// than that waits alone.
	maxPending = 64 << 10
	// linger is how long a closing wire tries to get rid of what is pending, DISCONNECT above all.
	linger = 250 * time.Millisecond
)

// wire is the connection, as paho sees it and as what passes paho by uses it. It does four things that paho leaves open:
//
// Writes leave together. A packet joins those that wait while the previous write is under way, and one goroutine writes
// them all at once. Nothing waits for a time: an idle wire sends a packet as soon as that goroutine runs, which it does
// only while there is something to write: most wires are idle.
//
// Every write has a deadline. paho sets one for PUBLISH only, and a PINGREQ could be stuck in a full socket for ever.
//
// It keeps the session alive, see keepAlive.
//
// The reason of the end is kept. paho takes the error of a connection that anybody closed for its own doing and
// reports nothing, so a broken wire answers reads and writes with what broke it, and only after Close net.ErrClosed.
type wire struct {
	net.Conn          // what packets travel through: TCP, TLS or WebSocket
	socket   net.Conn // the TCP connection below, which closes without ceremony
	in       *inbound
	timeout  time.Duration // of one write

	mu       sync.Mutex
	roomy    sync.Cond // pending was taken, or the wire has ended
	pending  []byte
	flushing bool  // flush runs, or has ended for good
	end      error // nil while the wire lives, then net.ErrClosed after Close, else what broke it
	closer   *time.Timer
	begun    bool // CONNECT was written
	alive    keepAlive

	done chan struct{} // closed when the wire has ended, nothing is written any more and all is closed
}

// newWire makes a wire over conn, whose lowest layer is socket. It ends with fail or Close.
func newWire(conn, socket net.Conn, o Options, a *acks) *wire {
	w := &wire{
		Conn: conn, socket: socket, timeout: o.AckTimeout, done: make(chan struct{}),
		alive: keepAlive{interval: o.KeepAlive, timeout: o.pingTimeout()},
	}
	w.in = newInbound(conn, a, w.pinged)
	w.roomy.L = &w.mu
	return w
}

// Read reads what the broker may say. The first thing that it may not say breaks the wire.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.in.Read(p)
	if err != nil {
		return n, w.fail(readError(err))
	}
	return n, nil
}

// Write takes p to be written soon. While there is no room it waits, at most for a write timeout.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.awaitRoom(len(p)); err != nil {
		return 0, err
	}
	start := len(w.pending)
	w.put(func(pending []byte) []byte { return append(pending, p...) })
	if !w.begun {
		w.begun = true
		setKeepAlive(w.pending[start:], w.alive.interval)
	}
	return len(p), nil
}

// awaitRoom waits until there is room for n bytes; an error is the wire's end. The wire is locked.
func (w *wire) awaitRoom(n int) error {
	for w.end == nil && len(w.pending) > 0 && len(w.pending)+n > maxPending {
		w.roomy.Wait()
	}
	return w.end
}

// put has what is appended be written soon. The wire is locked.
func (w *wire) put(appendTo func(pending []byte) []byte) {
	if w.pending == nil {
		w.pending = *buffers.Get().(*[]byte)
	}
	w.pending = appendTo(w.pending)
	w.alive.written = time.Now()
	w.rouse()
}

// rouse has flush run. The wire is locked.
func (w *wire) rouse() {
	if !w.flushing {
		w.flushing = true
		go w.flush()
	}
}

// flush writes what is pending until there is no more, and closes everything once the wire has ended.
func (w *wire) flush() {
	for {
		// Let the goroutines that are ready to write do so first: this has others' packets join, and costs nothing when
		// there are none.
		runtime.Gosched()
		batch, end := w.take()
		if end != nil && !errors.Is(end, net.ErrClosed) {
			close(w.done) // fail has closed the socket
			return
		}
		if len(batch) > 0 {
			_ = w.Conn.SetWriteDeadline(time.Now().Add(w.timeout))
			if _, err := w.Conn.Write(batch); err != nil {
				_ = w.fail(writeError(err, w.timeout))
			}
			recycle(batch)
		}
		switch {
		case end != nil:
			_ = w.Conn.Close()
			_ = w.socket.Close()
			w.closer.Stop()
			close(w.done)
			return
		case len(batch) == 0:
			return
		}
	}
}

// take returns what is pending, which makes room, and why the wire has ended if it has. When it returns neither, flush
// is over until it is roused again.
func (w *wire) take() (batch []byte, end error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	batch, w.pending = w.pending, nil
	w.flushing = len(batch) > 0 || w.end != nil
	w.roomy.Broadcast()
	return batch, w.end
}

// fail breaks the wire for the reason given, if it has not ended yet, and returns the reason for which it has ended.
func (w *wire) fail(reason error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end == nil {
		w.breakFor(reason)
	}
	return w.end
}

// breakFor breaks a wire that has not ended. The wire is locked.
func (w *wire) breakFor(reason error) {
	w.end = reason
	w.alive.rest()
	_ = w.socket.Close()
	w.roomy.Broadcast()
	w.rouse()
}

// reason is what broke the wire, or nil if nothing has.
func (w *wire) reason() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(w.end, net.ErrClosed) {
		return nil
	}
	return w.end
}

func (w *wire) hasEnded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.end != nil
}

// Close ends the wire after what is pending has been written, for which it has a short time. It returns at once; done
// tells when all is over. A reader is released at once.
func (w *wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end == nil {
		w.end = net.ErrClosed
		w.alive.rest()
		w.closer = time.AfterFunc(linger, func() { _ = w.socket.Close() })
		w.roomy.Broadcast()
		w.rouse()
		_ = w.socket.SetReadDeadline(time.Unix(1, 0))
	}
	return nil
}

// SetDeadline does nothing: writes have deadlines of their own, and what limits Connect is its context.
func (*wire) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing, as SetDeadline.
func (*wire) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing, as SetDeadline.
func (*wire) SetWriteDeadline(time.Time) error { return nil }

// buffers holds what no wire needs at the moment, so that idle sessions hold none.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

func recycle(b []byte) {
	if cap(b) <= 2*maxPending {
		b = b[:0]
		buffers.Put(&b)
	}
}

// readError names the reason behind an error of reading.
func readError(err error) error {
	var frame *websocket.CloseError
	switch {
	case errors.As(err, &frame) && frame.Code != websocket.CloseAbnormalClosure:
		return fmt.Errorf("%w with WebSocket status %d %.100q", ErrClosedByBroker, frame.Code, frame.Text)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), frame != nil:
		return ErrClosedByBroker
	}
	return brokenError(err)
}

// writeError names the reason behind an error of writing.
func writeError(err error, timeout time.Duration) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: the network took nothing for %v", ErrWriteTimeout, timeout)
	}
	return brokenError(err)
}

func brokenError(err error) error {
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) {
		return ErrReset
	}
	return err
}
