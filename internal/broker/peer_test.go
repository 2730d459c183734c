package broker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// owner is the owner of a session as these tests need one: it records what it hears.
type owner struct {
	t testing.TB

	mu           sync.Mutex
	changed      chan struct{}
	acknowledged []uint64
	arrived      []arrival
	lost         []error
	late         int  // events after Lost or after Close has returned
	closed       bool // Close has returned
}

type arrival struct {
	topic   string
	payload string
}

func newOwner(t testing.TB) *owner {
	t.Helper()
	return &owner{t: t, changed: make(chan struct{})}
}

func (o *owner) events() broker.Events {
	return broker.Events{
		Acknowledged: func(seq uint64) { o.note(func() { o.acknowledged = append(o.acknowledged, seq) }) },
		Arrived: func(topic string, payload []byte) {
			o.note(func() { o.arrived = append(o.arrived, arrival{topic, string(payload)}) })
		},
		Lost: func(err error) { o.note(func() { o.lost = append(o.lost, err) }) },
	}
}

func (o *owner) note(change func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.lost) > 0 || o.closed {
		o.late++
	}
	change()
	close(o.changed)
	o.changed = make(chan struct{})
}

// await waits until condition, asked under the lock, holds.
func (o *owner) await(what string, condition func() bool) {
	o.t.Helper()
	timeout := time.NewTimer(testkit.Patience)
	defer timeout.Stop()
	for {
		o.mu.Lock()
		holds, changed := condition(), o.changed
		o.mu.Unlock()
		if holds {
			return
		}
		select {
		case <-changed:
		case <-timeout.C:
			o.t.Fatalf("waited in vain for %s; acknowledged %d, arrived %d, lost %v",
				what, len(o.acknowledged), len(o.arrived), o.lost)
		}
	}
}

func (o *owner) awaitAcknowledged(n int) []uint64 {
	o.t.Helper()
	o.await(fmt.Sprintf("%d acknowledgements", n), func() bool { return len(o.acknowledged) >= n })
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.acknowledged)
}

func (o *owner) awaitArrived(n int) []arrival {
	o.t.Helper()
	o.await(fmt.Sprintf("%d messages", n), func() bool { return len(o.arrived) >= n })
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.arrived)
}

func (o *owner) awaitLost() error {
	o.t.Helper()
	o.await("the loss of the session", func() bool { return len(o.lost) > 0 })
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost[0]
}

// close closes the session and minds what is heard from then on.
func (o *owner) close(s *broker.Session) {
	s.Close()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
}

// settle checks what holds for every session: nothing is heard after Lost, not even another, and after Close.
func (o *owner) settle() {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.late > 0 {
		o.t.Errorf("%d events too late; lost: %v", o.late, o.lost)
	}
}

// options are what a test starts from.
func options(t testing.TB, uri string) broker.Options {
	t.Helper()
	parsed, err := broker.ParseURI(uri)
	if err != nil {
		t.Fatalf("parse %s: %v", uri, err)
	}
	return broker.Options{URI: parsed, ClientID: "test", AckTimeout: testkit.Patience, ConnectTimeout: testkit.Patience}
}

// connect opens a session that ends with the test.
func connect(t testing.TB, o broker.Options) (*broker.Session, *owner) {
	t.Helper()
	own := newOwner(t)
	s, err := broker.Connect(t.Context(), o, own.events())
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() {
		own.close(s)
		own.settle()
	})
	return s, own
}

// refused expects Connect to fail at a stage and returns the error.
func refused(t *testing.T, o broker.Options, stage broker.Stage, class broker.Class) *broker.Error {
	t.Helper()
	return refusedWithin(t, t.Context(), o, stage, class)
}

func refusedWithin(t *testing.T, ctx context.Context, o broker.Options, stage broker.Stage, class broker.Class) *broker.Error {
	t.Helper()
	own := newOwner(t)
	s, err := broker.Connect(ctx, o, own.events())
	if err == nil {
		s.Close()
		t.Fatal("connected, want an error")
	}
	var failed *broker.Error
	if !errors.As(err, &failed) {
		t.Fatalf("the error is a %T: %v", err, err)
	}
	if failed.Stage != stage || broker.Classify(err) != class {
		t.Errorf("stage %s, class %s, want %s and %s: %v", failed.Stage, broker.Classify(err), stage, class, err)
	}
	if own.mu.Lock(); len(own.lost)+len(own.acknowledged)+len(own.arrived) > 0 {
		t.Error("events of a session that never was")
	}
	own.mu.Unlock()
	t.Log(err)
	return failed
}

func publish(t testing.TB, s *broker.Session, messages ...broker.Message) {
	t.Helper()
	for _, m := range messages {
		if err := s.Publish(m); err != nil {
			t.Fatalf("publish: %v", err)
		}
	}
}

// uplinks makes messages numbered from first.
func uplinks(first, n int) []broker.Message {
	messages := make([]broker.Message, n)
	for i := range messages {
		messages[i] = broker.Message{
			Seq: uint64(first + i), Topic: "lora/uplink", Payload: fmt.Appendf(nil, `{"n":%d}`, first+i),
		}
	}
	return messages
}
