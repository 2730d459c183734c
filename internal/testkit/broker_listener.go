package testkit

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// trackedListener knows the connections it has accepted, so that a stopping broker can cut them all, also those that
// have not got as far as CONNECT.
type trackedListener struct {
	net.Listener
	config *tls.Config // nil without TLS

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
}

// Accept returns the next connection, as a TLS server's if there is a config.
func (l *trackedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	l.open[conn] = struct{}{}
	tracked := &trackedConn{Conn: conn, listener: l}
	if l.config != nil {
		return tls.Server(tracked, l.config), nil
	}
	return tracked, nil
}

// Close stops accepting and cuts what was accepted.
func (l *trackedListener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for conn := range l.open {
		_ = conn.Close()
	}
	return l.Listener.Close()
}

type trackedConn struct {
	net.Conn
	listener *trackedListener
}

func (c *trackedConn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.open, c.Conn)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

// listener lets mochi accept clients of one scheme.
type listener struct {
	scheme  string
	inner   net.Listener
	turns   *turns
	serving sync.WaitGroup
}

func newListener(scheme string, inner net.Listener, turns *turns) *listener {
	l := &listener{scheme: scheme, inner: inner, turns: turns}
	l.serving.Add(1) // for Serve, which mochi is certain to call
	return l
}

func (l *listener) ID() string              { return l.scheme }
func (l *listener) Address() string         { return l.inner.Addr().String() }
func (l *listener) Protocol() string        { return l.scheme }
func (*listener) Init(_ *slog.Logger) error { return nil }

// Serve accepts clients until the listener is closed.
func (l *listener) Serve(establish listeners.EstablishFn) {
	defer l.serving.Done()
	if strings.HasPrefix(l.scheme, "ws") {
		l.serveWebSocket(establish)
		return
	}
	for {
		conn, err := l.inner.Accept()
		if err != nil {
			return
		}
		l.serving.Go(func() { l.establish(establish, conn) })
	}
}

// establish lets mochi serve a client until it has gone.
func (l *listener) establish(establish listeners.EstablishFn, conn net.Conn) {
	_ = establish(l.scheme, conn)
	l.turns.end(conn)
}

func (l *listener) serveWebSocket(establish listeners.EstablishFn) {
	upgrader := websocket.Upgrader{Subprotocols: []string{"mqtt"}}
	mux := http.NewServeMux()
	mux.HandleFunc(WebSocketPath, func(w http.ResponseWriter, r *http.Request) {
		l.serving.Add(1) // while the server's own share for this connection is still held
		defer l.serving.Done()
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return // Upgrade has answered
		}
		l.establish(establish, &webSocketConn{Conn: conn.NetConn(), messages: conn})
	})
	server := &http.Server{ // #nosec G112 -- loopback, in tests
		Handler:  mux,
		ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			l.serving.Add(1)
			return ctx
		},
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed || state == http.StateHijacked {
				l.serving.Done()
			}
		},
	}
	_ = server.Serve(l.inner)
}

// Close stops listening, cuts all clients and waits until they are gone. It leaves mochi's own way of cutting them
// alone: that takes a lock for reading twice, and hangs for good if a client goes in between.
func (l *listener) Close(listeners.CloseFn) {
	_ = l.inner.Close()
	l.serving.Wait()
}

// webSocketConn makes of a WebSocket's binary messages one stream of bytes (MQTT 3.1.1 §6).
type webSocketConn struct {
	net.Conn
	messages *websocket.Conn
	current  io.Reader
}

func (c *webSocketConn) Read(p []byte) (int, error) {
	for {
		if c.current == nil {
			kind, message, err := c.messages.NextReader()
			if err != nil {
				return 0, err
			}
			if kind != websocket.BinaryMessage {
				return 0, errors.New("the message is not binary")
			}
			c.current = message
		}
		n, err := c.current.Read(p)
		if errors.Is(err, io.EOF) {
			c.current, err = nil, nil
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
}

func (c *webSocketConn) Write(p []byte) (int, error) {
	if err := c.messages.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), nil
}
