package broker

import (
	"context"
	"errors"
	"fmt"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Subscribe asks for the messages on a topic filter at QoS 1 and returns when the broker has granted it; they may
// arrive before that. A refusal is a [SubscribeError].
//
// A broker may grant less than QoS 1 (MQTT 3.1.1 §3.9.3). That is accepted, since messages do arrive, only not those
// that are under way when a connection breaks; [Session.Granted] tells.
func (s *Session) Subscribe(ctx context.Context, filter string) error {
	if s.isOver() {
		return s.failSubscribe(ErrSessionClosed)
	}
	if filter == "" || len(filter) > maxField {
		return s.failSubscribe(fmt.Errorf("%w: a topic filter of %d bytes, not 1 to 65535 (MQTT 3.1.1 §4.7.3)",
			ErrInvalidOptions, len(filter)))
	}
	token := s.client.Subscribe(filter, 1, nil).(*mqtt.SubscribeToken)
	select {
	case <-token.Done():
	case <-ctx.Done():
		return s.failSubscribe(context.Cause(ctx))
	case <-s.over:
		return s.failSubscribe(ErrSessionClosed)
	}
	switch err := token.Error(); {
	case errors.Is(err, mqtt.ErrInvalidTopicMultilevel):
		return s.failSubscribe(fmt.Errorf("%w: topic filter %.200q: %w", ErrInvalidOptions, filter, err))
	case err != nil:
		_ = s.wire.fail(fmt.Errorf("%w: %w", ErrWriteTimeout, err)) // unless the session has ended already
		return s.failSubscribe(fmt.Errorf("%w: %w", ErrSessionClosed, err))
	}
	for _, code := range token.Result() { // the one there is, under the filter's name as paho shortens it
		if code > 2 {
			return s.failSubscribe(&SubscribeError{Filter: filter, Code: code})
		}
		s.mu.Lock()
		s.granted[filter] = code
		s.mu.Unlock()
	}
	return nil
}

// Granted is the QoS with which the broker has granted the subscription, 0 or 1; ok is false if it has not.
func (s *Session) Granted(filter string) (qos byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	qos, ok = s.granted[filter]
	return qos, ok
}

func (s *Session) failSubscribe(err error) error { return fail(StageSuback, s.options, err) }
