package simulator

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bound is how long a test waits for an event that must come.
const bound = 30 * time.Second

// today is the time package's clock moved to a date whose Unix time has ten digits, as synctest begins in 2000.
func today() time.Time { return time.Now().Add(24 * 365 * 24 * time.Hour) }

func newNS(t testing.TB, cfg Config) *NS {
	t.Helper()
	ns, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ns.Close)
	return ns
}

// start serves on a real socket.
func start(t testing.TB, cfg Config) *NS {
	t.Helper()
	ns := newNS(t, cfg)
	if err := ns.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return ns
}

// client is a plain WebSocket client that keeps what arrives.
type client struct {
	conn   *websocket.Conn
	frames chan []byte
	pongs  chan string
	err    error // why the stream ended, once frames is closed
}

func dialer(p *pipes) *websocket.Dialer {
	d := &websocket.Dialer{ReadBufferSize: 1 << 16}
	if p != nil {
		d.NetDialContext = p.dial
	}
	return d
}

// dial connects with the query and reads everything that comes; p is nil for a real socket.
func dial(t testing.TB, ns *NS, p *pipes, query string) *client {
	t.Helper()
	c := dialUnread(t, ns, p, query)
	go c.read()
	return c
}

// dialUnread connects but reads nothing.
func dialUnread(t testing.TB, ns *NS, p *pipes, query string) *client {
	t.Helper()
	conn, resp, err := dialer(p).Dial(ns.URL()+"?access_token=t&"+query, nil)
	if err != nil {
		t.Fatalf("dial with %q: %v (%+v)", query, err, resp)
	}
	c := &client{conn: conn, frames: make(chan []byte, 100_000), pongs: make(chan string, 1000)}
	conn.SetPongHandler(func(data string) error { c.pongs <- data; return nil })
	t.Cleanup(func() { _ = conn.Close() })
	return c
}

func (c *client) read() {
	defer close(c.frames)
	for {
		_, frame, err := c.conn.ReadMessage()
		if err != nil {
			c.err = err
			return
		}
		c.frames <- frame
	}
}

func (c *client) next(t testing.TB) []byte {
	t.Helper()
	select {
	case f, ok := <-c.frames:
		if !ok {
			t.Fatalf("stream ended: %v", c.err)
		}
		return f
	case <-time.After(bound):
		t.Fatal("no frame came")
	}
	return nil
}

func (c *client) nextN(t testing.TB, n int) (out [][]byte) {
	t.Helper()
	for range n {
		out = append(out, c.next(t))
	}
	return out
}

// ending waits for the end of the stream and returns its error and what came before.
func (c *client) ending(t testing.TB) ([][]byte, error) {
	t.Helper()
	var out [][]byte
	for {
		select {
		case f, ok := <-c.frames:
			if !ok {
				return out, c.err
			}
			out = append(out, f)
		case <-time.After(bound):
			t.Fatal("the stream did not end")
		}
	}
}

// pending is what has arrived and was not taken yet.
func (c *client) pending() (out [][]byte) {
	for {
		select {
		case f, ok := <-c.frames:
			if !ok {
				return out
			}
			out = append(out, f)
		default:
			return out
		}
	}
}

func (c *client) send(t testing.TB, message any) {
	t.Helper()
	raw, ok := message.(string)
	if !ok {
		b, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		raw = string(b)
	}
	if err := c.conn.WriteMessage(websocket.TextMessage, []byte(raw)); err != nil {
		t.Fatal(err)
	}
}

func emit(t testing.TB, ns *NS, o Order) Message {
	t.Helper()
	m, err := ns.Emit(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func emitN(t testing.TB, ns *NS, kind dataapi.Type, n int) (out []Message) {
	t.Helper()
	for range n {
		out = append(out, emit(t, ns, Order{Type: kind}))
	}
	return out
}

func await(t testing.TB, ns *NS, condition func(Stats) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	if err := ns.Await(ctx, condition); err != nil {
		t.Fatal(err)
	}
}

// envelope is a Data API message as any reader sees it.
type envelope struct {
	Type   string
	Meta   map[string]any
	Params map[string]any
}

func read(t testing.TB, frame []byte) (e envelope) {
	t.Helper()
	if err := json.Unmarshal(frame, &e); err != nil {
		t.Fatalf("frame is no JSON: %v\n%s", err, frame)
	}
	return e
}

func canonical(t testing.TB, frame []byte) string {
	t.Helper()
	c, err := Canonical(frame)
	if err != nil {
		t.Fatal(err)
	}
	return string(c)
}

// canonicals makes frames comparable: each in its canonical form.
func canonicals(t testing.TB, frames [][]byte) (out []string) {
	t.Helper()
	for _, f := range frames {
		out = append(out, canonical(t, f))
	}
	return out
}

func raws(messages []Message) (out [][]byte) {
	for _, m := range messages {
		out = append(out, m.Raw)
	}
	return out
}

// get asks over HTTP without a socket; what it is for never comes to an upgrade.
func get(t testing.TB, ns *NS, pathAndQuery string) (status int, body []byte) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://ns"+pathAndQuery, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	ns.ServeHTTP(w, r)
	return w.status, w.body
}

type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(b []byte) (int, error) { w.body = append(w.body, b...); return len(b), nil }

// fakeClock stands still until told.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func newFakeClock() *fakeClock { return &fakeClock{now: time.Unix(1_700_000_000, 123_456_000)} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
