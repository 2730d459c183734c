package actors

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
)

// fakeBroker plays the broker of one connection: it accepts or refuses sessions and keeps what is published.
type fakeBroker struct {
	mu       sync.Mutex
	acking   bool // what is published is acknowledged at once; else the test does it
	start    time.Time
	refuse   error
	deny     error                     // what a SUBSCRIBE is answered with
	mute     bool                      // SUBSCRIBEs are not answered
	panics   string                    // what the client library does instead of its work
	poison   func(broker.Message) bool // a message that ends its session; nil: none does
	attempts []time.Duration           // since start
	sessions []*fakeSession
	order    []broker.Message // published in all sessions
}

func newFakeBroker() *fakeBroker { return &fakeBroker{start: time.Now()} }

// fakeSession is one MQTT session.
type fakeSession struct {
	broker     *fakeBroker
	events     broker.Events
	mu         sync.Mutex
	published  []broker.Message
	poisoned   bool            // it has ended of a message
	subscribed []time.Duration // since the broker's start
	closed     bool
}

func (b *fakeBroker) connect(_ context.Context, _ broker.Options, events broker.Events) (BrokerSession, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.attempts = append(b.attempts, time.Since(b.start))
	b.failAt("connect")
	if b.refuse != nil {
		return nil, b.refuse
	}
	s := &fakeSession{broker: b, events: events}
	b.sessions = append(b.sessions, s)
	return s, nil
}

// failAt panics if the test wants it at this point. The caller holds mu.
func (b *fakeBroker) failAt(point string) {
	if b.panics == point {
		panic("the client library failed at " + point)
	}
}

func (s *fakeSession) Publish(m broker.Message) error {
	if s.publish(m) {
		s.events.Acknowledged(m.Seq)
	}
	return nil
}

func (s *fakeSession) publish(m broker.Message) (ack bool) {
	s.broker.mu.Lock()
	defer s.broker.mu.Unlock()
	s.broker.failAt("publish")
	s.broker.order = append(s.broker.order, m)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = append(s.published, m)
	if !s.poisoned && s.broker.poison != nil && s.broker.poison(m) {
		s.poisoned = true
		s.events.Lost(errGone)
	}
	return s.broker.acking && !s.poisoned
}

func (s *fakeSession) Subscribe(ctx context.Context, _ string) error {
	mute, deny := s.subscribe()
	if mute {
		<-ctx.Done()
		return fmt.Errorf("subscribe: %w", ctx.Err())
	}
	return deny
}

func (s *fakeSession) subscribe() (mute bool, deny error) {
	s.broker.mu.Lock()
	defer s.broker.mu.Unlock()
	s.broker.failAt("subscribe")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribed = append(s.subscribed, time.Since(s.broker.start))
	return s.broker.mute, s.broker.deny
}

func (s *fakeSession) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

func (s *fakeSession) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// change sets what the broker does from now on.
func (b *fakeBroker) change(f func(*fakeBroker)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b)
}

// refusing has further attempts fail, or succeed if err is nil.
func (b *fakeBroker) refusing(err error) { b.change(func(b *fakeBroker) { b.refuse = err }) }

// denying has further subscriptions refused, or granted if err is nil.
func (b *fakeBroker) denying(err error) { b.change(func(b *fakeBroker) { b.deny = err }) }

// panicking has the client library panic at connect, publish or subscribe; nowhere if point is empty.
func (b *fakeBroker) panicking(point string) { b.change(func(b *fakeBroker) { b.panics = point }) }

// tried is when there were attempts.
func (b *fakeBroker) tried() []time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.attempts)
}

// all are the sessions so far, the newest last.
func (b *fakeBroker) all() []*fakeSession {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sessions)
}

// current is the newest session.
func (b *fakeBroker) current() *fakeSession {
	all := b.all()
	return all[len(all)-1]
}

// published is what was published in all sessions, in order.
func (b *fakeBroker) published() []broker.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.order)
}

// last is what was published last.
func (b *fakeBroker) last() (m broker.Message) {
	if all := b.published(); len(all) > 0 {
		m = all[len(all)-1]
	}
	return m
}

// payloads are those of published.
func (b *fakeBroker) payloads() (out [][]byte) {
	for _, m := range b.published() {
		out = append(out, m.Payload)
	}
	return out
}

// messages are those published in this session.
func (s *fakeSession) messages() []broker.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.published)
}

// numbers are the frames published in this session.
func (s *fakeSession) numbers() (out []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.published {
		out = append(out, m.Seq>>1) // of whichever lane
	}
	return out
}

// subscriptions is when topic_down was asked for in this session.
func (s *fakeSession) subscriptions() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.subscribed)
}
