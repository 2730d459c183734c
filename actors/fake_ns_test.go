package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source"
)

// fakeNS plays the Network Server of one connection. It remembers what it has sent, and what it would have sent
// had there been somebody to send it to.
type fakeNS struct {
	mu      sync.Mutex
	start   time.Time
	refuse  error
	ago     time.Duration // by how much what it generates is older than now
	panics  string        // what the client library does instead of its work
	holding bool          // a replay waits for the test
	keeps   time.Duration // how old a replayed frame may be; 0: any age
	dials   []time.Duration
	streams []*fakeStream
	rest    fakeHistory
	history []sentFrame
}

type sentFrame struct {
	raw []byte
	at  time.Time
}

func newFakeNS() *fakeNS { return &fakeNS{start: time.Now()} }

// fakeStream is one session with it.
type fakeStream struct {
	ns       *fakeNS
	options  source.WebSocketOptions
	incoming chan []dataapi.Frame
	over     chan struct{}
	backlog  []sentFrame // history still to be replayed

	mu      sync.Mutex
	cause   error
	written [][]byte
	stuck   chan struct{} // writes wait until it is closed; nil: they do not
}

func (n *fakeNS) dial(_ context.Context, o source.WebSocketOptions) (source.Session, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials = append(n.dials, time.Since(n.start))
	if n.panics == "dial" {
		panic("the client library failed at dial")
	}
	if n.refuse != nil {
		return nil, n.refuse
	}
	s := &fakeStream{ns: n, options: o, incoming: make(chan []dataapi.Frame, 10_000), over: make(chan struct{})}
	n.streams = append(n.streams, s)
	for _, f := range n.history {
		if !o.From.IsZero() && !f.at.Before(o.From) && (n.keeps == 0 || time.Since(f.at) <= n.keeps) {
			s.backlog = append(s.backlog, f)
		}
	}
	if !n.holding {
		s.replay(len(s.backlog))
	}
	return s, nil
}

// send has the Network Server send so many uplinks at once.
func (n *fakeNS) send(frames int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var batch []dataapi.Frame
	for range frames {
		batch = append(batch, n.generate())
	}
	if len(n.streams) > 0 {
		n.streams[len(n.streams)-1].bring(batch)
	}
}

// generate makes an uplink and keeps it in history. The caller holds mu.
func (n *fakeNS) generate() dataapi.Frame {
	now := time.Now().Add(-n.ago)
	raw := fmt.Appendf(nil, `{"type":"uplink","meta":{"device":"70b3d5%010x","time":%.6f},"params":{"counter_up":%d}}`,
		len(n.history)%7, unixSeconds(now), len(n.history)+1)
	n.history = append(n.history, sentFrame{raw, now})
	return frameOf(raw)
}

// replay sends the next frames of the backlog, as they come from history.
func (s *fakeStream) replay(frames int) {
	frames = min(frames, len(s.backlog))
	var batch []dataapi.Frame
	for _, f := range s.backlog[:frames] {
		batch = append(batch, frameOf([]byte(strings.Replace(string(f.raw), `"meta":{`, `"meta":{"history":true,`, 1))))
	}
	s.backlog = s.backlog[frames:]
	if len(batch) > 0 {
		s.bring(batch)
	}
}

func (s *fakeStream) bring(batch []dataapi.Frame) {
	select {
	case <-s.over:
	default:
		s.incoming <- batch
	}
}

func frameOf(raw []byte) dataapi.Frame {
	envelope, err := dataapi.Scan(raw)
	if err != nil {
		panic(err)
	}
	return dataapi.Frame{Raw: raw, Envelope: envelope, Received: time.Now()}
}

// Read implements source.Session.
func (s *fakeStream) Read(ctx context.Context) ([]dataapi.Frame, error) {
	s.ns.mu.Lock()
	panics := s.ns.panics == "read"
	s.ns.mu.Unlock()
	if panics {
		panic("the client library failed at read")
	}
	select {
	case batch := <-s.incoming:
		return batch, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.over:
		return nil, s.cause
	}
}

// Write implements source.Session.
func (s *fakeStream) Write(ctx context.Context, payload []byte) error {
	s.mu.Lock()
	stuck := s.stuck
	s.mu.Unlock()
	if stuck != nil {
		select {
		case <-stuck:
		case <-s.over:
			return s.cause
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.written = append(s.written, payload)
	}
	return s.cause
}

// Close implements source.Session.
func (s *fakeStream) Close() error {
	s.end(&source.EndedError{Reason: source.EndClosed})
	return nil
}

func (s *fakeStream) end(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.cause = cause
		close(s.over)
	}
}

// stick has writes hang, and go on if it is false.
func (s *fakeStream) stick(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if on {
		s.stuck = make(chan struct{})
	} else {
		close(s.stuck)
	}
}

// downlinks is what was written.
func (s *fakeStream) downlinks() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.written {
		out = append(out, string(w))
	}
	return out
}

// change sets what the Network Server does from now on.
func (n *fakeNS) change(f func(*fakeNS)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f(n)
}

// away ends the session, and has further dials fail until back.
func (n *fakeNS) away() {
	n.change(func(n *fakeNS) { n.refuse = errors.New("refused") })
	n.current().end(&source.EndedError{Reason: source.EndLost, Err: errors.New("gone")})
}

// back ends away.
func (n *fakeNS) back() { n.change(func(n *fakeNS) { n.refuse = nil }) }

// panicking has the client library panic at dial or read; nowhere if point is empty.
func (n *fakeNS) panicking(point string) { n.change(func(n *fakeNS) { n.panics = point }) }

// dialled is when there were attempts.
func (n *fakeNS) dialled() []time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.dials)
}

// all are the sessions so far, the newest last.
func (n *fakeNS) all() []*fakeStream {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.streams)
}

// current is the newest session.
func (n *fakeNS) current() *fakeStream {
	all := n.all()
	return all[len(all)-1]
}

// sent is every frame so far.
func (n *fakeNS) sent() (out [][]byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range n.history {
		out = append(out, f.raw)
	}
	return out
}
