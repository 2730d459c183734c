package source

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/lorry-mqtt/lorry/internal/secret"
)

const testToken = "t0ken+/&=secret"

// peer is the Network Server's end of one connection: the bare library, to be driven by the test.
type peer struct {
	*websocket.Conn
	request *http.Request
}

func (p *peer) text(tb testing.TB, message string) {
	tb.Helper()
	if err := p.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		tb.Errorf("peer: write: %v", err)
	}
}

// raw writes bytes below the WebSocket protocol.
func (p *peer) raw(tb testing.TB, b []byte) {
	tb.Helper()
	if _, err := p.NetConn().Write(b); err != nil {
		tb.Errorf("peer: write raw: %v", err)
	}
}

// drain reads until the connection ends and returns why.
func (p *peer) drain() error {
	for {
		if _, _, err := p.ReadMessage(); err != nil {
			return err
		}
	}
}

// upgrade runs serve for each WebSocket connection and closes the connection when it returns.
func upgrade(serve func(*peer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		serve(&peer{Conn: conn, request: r})
	}
}

// listen starts a server on a loopback port and returns the options that reach it. It ends with the test, after
// every handler has returned.
func listen(tb testing.TB, handler http.HandlerFunc) WebSocketOptions {
	tb.Helper()
	var handlers sync.WaitGroup
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers.Add(1)
		defer handlers.Done()
		handler(w, r)
	}))
	tb.Cleanup(func() {
		server.Close()
		handlers.Wait()
	})
	return WebSocketOptions{
		URL:         "ws" + strings.TrimPrefix(server.URL, "http") + "/api/v1.0/data",
		AccessToken: secret.New(testToken),
		Filter:      "f1",
	}
}

// pipes is a server for synctest bubbles: connections are net.Pipes. It ends with the test.
func pipes(tb testing.TB, handler http.HandlerFunc) WebSocketOptions {
	tb.Helper()
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Hour}
	go func() { _ = server.Serve(l) }()
	tb.Cleanup(func() { _ = server.Close() })
	return WebSocketOptions{URL: "ws://ns.example/api/v1.0/data", AccessToken: secret.New(testToken), Filter: "f1", Dial: l.dial}
}

type pipeListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// open dials and closes the session with the test.
func open(tb testing.TB, o WebSocketOptions) *webSocket {
	tb.Helper()
	s, err := DialWebSocket(context.Background(), o)
	if err != nil {
		tb.Fatalf("dial: %v", err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s.(*webSocket)
}

// patience bounds every wait for something that must come.
const patience = 20 * time.Second

func patient(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	tb.Cleanup(cancel)
	return ctx
}

// readN reads n frames' Raw, in order.
func readN(tb testing.TB, s Session, n int) []string {
	tb.Helper()
	ctx, got := patient(tb), make([]string, 0, n)
	for len(got) < n {
		frames, err := s.Read(ctx)
		if err != nil {
			tb.Fatalf("read after %d of %d frames: %v", len(got), n, err)
		}
		for _, f := range frames {
			got = append(got, string(f.Raw))
		}
	}
	return got
}

// ended reads until the session is over; it returns the frames that were left and the reason.
func ended(tb testing.TB, s Session) ([]string, *EndedError) {
	tb.Helper()
	ctx := patient(tb)
	var got []string
	for {
		frames, err := s.Read(ctx)
		if err == nil {
			for _, f := range frames {
				got = append(got, string(f.Raw))
			}
			continue
		}
		var end *EndedError
		if !errors.As(err, &end) {
			tb.Fatalf("read: %v, want an EndedError", err)
		}
		return got, end
	}
}

// await waits for an event that must come.
func await[T any](tb testing.TB, c <-chan T, what string) T {
	tb.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		tb.Fatalf("no %s within %s", what, patience)
		panic("unreachable")
	}
}
