package broker

import (
	"context"
	"fmt"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Session is one MQTT session that has been accepted by the broker. Its methods may be called from any goroutine.
type Session struct {
	options Options // for errors; the secrets in it are masked
	events  Events
	retain  bool
	client  mqtt.Client
	wire    *wire
	acks    *acks

	publishing sync.Mutex // keeps Publish one at a time, for the order

	// reporting is held for reading while an event is reported, for writing to end that.
	reporting sync.RWMutex
	ended     bool
	over      chan struct{} // closed with ended
	closed    sync.Once

	mu      sync.Mutex
	granted map[string]byte
}

// Connect opens a session with a broker: it resolves the name, dials, does TLS and the WebSocket's opening, and sends
// exactly one CONNECT, with a clean session. It returns when the CONNACK has arrived, or with an [*Error] when
// something failed, the context has ended or Options.ConnectTimeout has passed; then nothing is left of the attempt.
func Connect(ctx context.Context, o Options, events Events) (*Session, error) {
	o, err := o.complete()
	if err != nil {
		return nil, fail(StageOptions, o, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.ConnectTimeout, fmt.Errorf("%w (%v)", ErrConnectTimeout, o.ConnectTimeout))
	defer cancel()
	conn, socket, err := dial(ctx, o)
	if err != nil {
		return nil, err
	}
	s := &Session{options: o, events: events, retain: o.Retain, over: make(chan struct{}), granted: map[string]byte{}}
	s.acks = newAcks(s.acknowledged)
	s.wire = newWire(conn, socket, o, s.acks)
	s.client = newClient(s, o)
	if err := s.open(ctx); err != nil {
		return nil, fail(StageConnack, o, err)
	}
	s.wire.keepAlive()
	o.Reached(StageConnack)
	return s, nil
}

// open has paho send CONNECT and wait for the CONNACK. The context ends that by breaking the wire.
func (s *Session) open(ctx context.Context) error {
	release := context.AfterFunc(ctx, func() { _ = s.wire.fail(context.Cause(ctx)) })
	token := s.client.Connect()
	<-token.Done()
	if release() && token.Error() == nil {
		return nil
	}
	s.end(nil)
	_ = s.wire.fail(ErrSessionClosed)
	s.client.Disconnect(0) // which may find nobody to take a DISCONNECT, and would wait for one
	<-s.wire.done
	if reason := s.wire.reason(); reason != nil {
		return inTime(ctx, reason)
	}
	return inTime(ctx, token.Error())
}

// quiesce is how long paho may take to get rid of a DISCONNECT, in its unit.
const quiesce = uint(linger / time.Millisecond)

// Close ends the session, with a DISCONNECT if the network takes one within a short time, and releases everything. When
// it has returned, no event is being reported and none will be. It may be called repeatedly, but not by an event.
func (s *Session) Close() {
	s.closed.Do(func() {
		s.end(nil)
		s.client.Disconnect(quiesce)
		_ = s.wire.Close()
	})
	<-s.wire.done
}

// end ends the reporting of events, the last being Lost if there is a reason.
func (s *Session) end(reason error) {
	s.reporting.Lock()
	defer s.reporting.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	close(s.over)
	if reason != nil && s.events.Lost != nil {
		s.events.Lost(fail(StageSession, s.options, reason))
	}
}

// isOver reports whether the session has ended, or is about to because its wire has.
func (s *Session) isOver() bool {
	select {
	case <-s.over:
		return true
	default:
		return s.wire.hasEnded()
	}
}

// lost is paho's last call: its goroutines have ended.
func (s *Session) lost(err error) {
	reason := s.wire.reason()
	if reason == nil {
		reason = &ProtocolError{Reason: err.Error()} // a packet that paho could not decode
	}
	s.end(reason)
}

func (s *Session) acknowledged(seq uint64) {
	s.reporting.RLock()
	defer s.reporting.RUnlock()
	if !s.ended && s.events.Acknowledged != nil {
		s.events.Acknowledged(seq)
	}
}

func (s *Session) arrived(_ mqtt.Client, m mqtt.Message) {
	s.reporting.RLock()
	defer s.reporting.RUnlock()
	if !s.ended && s.events.Arrived != nil {
		s.events.Arrived(m.Topic(), m.Payload()) // paho has read the payload into memory of its own
	}
}
