package broker

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
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
	case m.Topic == "" || len(m.Topic) > maxField: // paho would shorten the topic and publish to another
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
	s.acks.announce(m.Seq)
	token := s.client.Publish(m.Topic, 1, s.retain, m.Payload)
	select {
	case <-token.Done():
	default:
		return nil
	}
	if err := token.Error(); err != nil {
		// paho gave up waiting for its own goroutines. The message is not sent, so none may be sent after it.
		_ = s.wire.fail(fmt.Errorf("%w: %w", ErrWriteTimeout, err))
		return fmt.Errorf("publish message %d: %w: %w", m.Seq, ErrSessionClosed, err)
	}
	return nil
}

// acks knows which message a PUBACK settles. It is the store (paho's extension point for persistence) in which paho
// puts each packet before sending it, and from which it deletes a PUBLISH when its PUBACK has arrived, in the
// goroutine that reads packets: so PUBACKs are seen in their order, and no goroutine waits for each. Nothing is ever
// read back, because a session's packets end with it.
//
// paho deletes on other occasions, too: at a SUBACK or UNSUBACK, whose identifiers stand for no message, and at packets
// that [inbound] keeps from it. A session's end deletes nothing.
type acks struct {
	acknowledged func(seq uint64)

	mu      sync.Mutex
	seq     uint64            // of the message that Put will see next
	waiting map[uint16]uint64 // packet identifier → seq, of each PUBLISH without PUBACK
}

var _ mqtt.Store = (*acks)(nil)

func newAcks(acknowledged func(seq uint64)) *acks {
	return &acks{acknowledged: acknowledged, waiting: map[uint16]uint64{}}
}

// announce says whose PUBLISH comes next.
func (a *acks) announce(seq uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seq = seq
}

// waits reports whether a PUBLISH with this identifier has no PUBACK yet.
func (a *acks) waits(id uint16) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, waits := a.waiting[id]
	return waits
}

// Put notes the identifier that paho has chosen for the message announced.
func (a *acks) Put(key string, packet packets.ControlPacket) {
	if sent, ok := packet.(*packets.PublishPacket); ok && strings.HasPrefix(key, outbound) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.waiting[sent.MessageID] = a.seq
	}
}

// Del passes on that the PUBACK of a message has arrived. An unknown one is nothing.
func (a *acks) Del(key string) {
	number, ok := strings.CutPrefix(key, outbound)
	if !ok {
		return
	}
	id, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return
	}
	a.mu.Lock()
	seq, known := a.waiting[uint16(id)]
	delete(a.waiting, uint16(id))
	a.mu.Unlock()
	if known {
		a.acknowledged(seq)
	}
}

// outbound begins the keys of what this side has sent; paho keeps what has arrived there, too.
const outbound = "o."

// Open, Close and Reset have nothing to do, and Get and All nothing to give.

func (*acks) Open()                            {}
func (*acks) Close()                           {}
func (*acks) Reset()                           {}
func (*acks) Get(string) packets.ControlPacket { return nil }
func (*acks) All() []string                    { return nil }
