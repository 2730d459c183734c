package broker

import (
	"encoding/binary"
	"fmt"
)

// maxRemaining is the longest packet behind its fixed header (MQTT 3.1.1 §2.2.3).
const maxRemaining = 268_435_455

// Publish sends the message at QoS 1. Messages leave in the order of the calls.
//
// A nil error means that the message was handed to the network, or is lost with a session that is about to end;
// whether the broker has it, only Events.Acknowledged tells. Publish may block for as long as the network takes
// nothing, up to Options.AckTimeout; a call that is under way when the session ends may take as long to return.
//
// [ErrSessionClosed] means that the session has ended or ends because of this call: Events.Lost follows, unless Close
// was called. [ErrUnpublishable] means that MQTT has no form for the message; the session goes on.
func (s *Session) Publish(m Message) error {
	switch {
	case m.Topic == "" || len(m.Topic) > maxField:
		return fmt.Errorf("publish message %d: %w: the topic has %d bytes, not 1 to 65535 (MQTT 3.1.1 §4.7.3)",
			m.Seq, ErrUnpublishable, len(m.Topic))
	case len(m.Payload) > maxRemaining-len(m.Topic)-4:
		return fmt.Errorf("publish message %d: %w: a payload of %d bytes is too long (MQTT 3.1.1 §2.2.3)",
			m.Seq, ErrUnpublishable, len(m.Payload))
	}
	s.publishing.Lock()
	defer s.publishing.Unlock()
	if s.isOver() {
		return fmt.Errorf("publish message %d: %w", m.Seq, ErrSessionClosed)
	}
	id, free := s.acks.identify(m.Seq)
	if !free {
		return fmt.Errorf("publish message %d: %w: %d messages await their PUBACKs (MQTT 3.1.1 §2.3.1)", m.Seq, ErrUnpublishable, identifiers)
	}
	if s.wire.publish(id, &m, s.retain) != nil {
		return fmt.Errorf("publish message %d: %w", m.Seq, ErrSessionClosed)
	}
	return nil
}

// publish takes a PUBLISH of QoS 1 (MQTT 3.1.1 §3.3) to be written soon, as Write does. An error is the wire's end.
func (w *wire) publish(id uint16, m *Message, retain bool) error {
	length := 2 + len(m.Topic) + 2 + len(m.Payload)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.awaitRoom(length); err != nil {
		return err
	}
	first := byte(publish<<4 | 1<<1)
	if retain {
		first |= 1
	}
	w.put(func(p []byte) []byte {
		p = appendLength(append(p, first), length)
		p = append(binary.BigEndian.AppendUint16(p, uint16(len(m.Topic))), m.Topic...)
		return append(binary.BigEndian.AppendUint16(p, id), m.Payload...)
	})
	return nil
}

// appendLength appends a remaining length (MQTT 3.1.1 §2.2.3).
func appendLength(p []byte, n int) []byte {
	for n >= 0x80 {
		p = append(p, byte(n)|0x80)
		n >>= 7
	}
	return append(p, byte(n))
}
