package broker_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

func throughProxy(t *testing.T) (*testkit.Broker, *testkit.PubackProxy, *broker.Session, *owner) {
	t.Helper()
	b := testkit.StartBroker(t)
	proxy := testkit.NewPubackProxy(t, b.Address("mqtt"))
	s, own := connect(t, options(t, proxy.URI()))
	return b, proxy, s, own
}

func TestAcknowledgedMeansPuback(t *testing.T) {
	b, proxy, s, own := throughProxy(t)
	proxy.Withhold()
	publish(t, s, uplinks(1, 100)...)
	proxy.AwaitHeld(100) // so the broker has them all
	if n := len(b.Published()); n != 100 || proxy.InFlight() != 100 {
		t.Errorf("%d published, %d in flight, want 100", n, proxy.InFlight())
	}
	if err := s.Subscribe(t.Context(), "down"); err != nil { // its SUBACK has come behind every PUBACK there is
		t.Fatal(err)
	}
	if got := own.awaitAcknowledged(0); len(got) != 0 {
		t.Fatalf("acknowledged without a PUBACK: %v", got)
	}
	proxy.Release(30)
	if got := own.awaitAcknowledged(30); !slices.Equal(got, numbers(1, 30)) {
		t.Errorf("acknowledged %v, want 1 to 30", got)
	}
	proxy.ReleaseReversed()
	got := own.awaitAcknowledged(100)[30:]
	slices.Reverse(got)
	if !slices.Equal(got, numbers(31, 100)) {
		t.Errorf("acknowledged, reversed: %v, want 31 to 100", got)
	}
}

func TestAcknowledgedInTheOrderOfPubacks(t *testing.T) {
	_, proxy, s, own := throughProxy(t)
	proxy.Reverse(10)
	publish(t, s, uplinks(1, 50)...)
	want := []uint64{}
	for first := 1; first <= 50; first += 10 {
		group := numbers(first, first+9)
		slices.Reverse(group)
		want = append(want, group...)
	}
	if got := own.awaitAcknowledged(50); !slices.Equal(got, want) {
		t.Errorf("acknowledged %v, want %v", got, want)
	}
}

func TestCutWithPublishesOutstanding(t *testing.T) {
	_, proxy, s, own := throughProxy(t)
	publish(t, s, uplinks(1, 20)...)
	own.awaitAcknowledged(20)
	proxy.Withhold()
	publish(t, s, uplinks(21, 80)...)
	proxy.AwaitHeld(80)
	proxy.Release(7)
	own.awaitAcknowledged(27)
	proxy.Cut()
	if err := own.awaitLost(); !errors.Is(err, broker.ErrReset) && !errors.Is(err, broker.ErrClosedByBroker) {
		t.Errorf("lost: %v", err)
	}
	s.Close() // what could still be reported is reported by now
	if got := own.awaitAcknowledged(0); !slices.Equal(got, numbers(1, 27)) {
		t.Errorf("acknowledged %v, want exactly 1 to 27", got)
	}
}

func TestCloseWithPublishesOutstanding(t *testing.T) {
	_, proxy, s, own := throughProxy(t)
	proxy.Withhold()
	publish(t, s, uplinks(1, 100)...)
	proxy.AwaitHeld(100)
	s.Close()
	proxy.Release(100)
	if got := own.awaitAcknowledged(0); len(got) != 0 {
		t.Errorf("acknowledged by Close: %v", got)
	}
}

func TestDroppedPubacksAreNotReported(t *testing.T) {
	_, proxy, s, own := throughProxy(t)
	proxy.Drop()
	publish(t, s, uplinks(1, 10)...)
	proxy.AwaitDropped(10)
	proxy.Pass()
	publish(t, s, uplinks(11, 1)...)
	if got := own.awaitAcknowledged(1); !slices.Equal(got, []uint64{11}) {
		t.Errorf("acknowledged %v, want 11", got)
	}
}

func TestPubacksThatSettleNothing(t *testing.T) {
	o := scripted(t, func(s *script) {
		s.accept()
		id := s.nextID()
		s.puback(id)
		s.puback(id + 1)
		s.send(0x90, 3, 0, byte(id), 1)
		id = s.nextID()
		s.puback(id + 1)
		s.puback(0)
		s.puback(id)
		s.puback(id) // once more
		s.puback(s.nextID())
		s.drain()
	})
	s, own := connect(t, o)
	if err := s.Subscribe(t.Context(), "down"); err != nil {
		t.Fatal(err)
	}
	publish(t, s, uplinks(1, 1)...)
	own.awaitAcknowledged(1)
	publish(t, s, uplinks(2, 1)...)
	if got := own.awaitAcknowledged(2); !slices.Equal(got, numbers(1, 2)) {
		t.Errorf("acknowledged %v, want 1 and 2", got)
	}
}

// Packets with the identifier of a PUBLISH that are no PUBACK end the session instead of settling the message.
func TestOnlyPubacksAcknowledge(t *testing.T) {
	for name, answer := range map[string]struct{ head, tail []byte }{
		"PUBREC": {head: []byte{0x50, 2}}, "PUBREL": {head: []byte{0x62, 2}}, "PUBCOMP": {head: []byte{0x70, 2}},
		"SUBACK": {[]byte{0x90, 3}, []byte{1}}, "UNSUBACK": {head: []byte{0xb0, 2}}, "PUBACK with flags": {head: []byte{0x42, 2}},
		"PUBACK of MQTT 5": {[]byte{0x40, 3}, []byte{0}},
	} {
		t.Run(name, func(t *testing.T) {
			s, own := connect(t, scripted(t, func(s *script) {
				s.accept()
				id := s.nextID()
				s.send(slices.Concat(answer.head, []byte{byte(id >> 8), byte(id)}, answer.tail)...)
				s.drain()
			}))
			if err := s.Publish(uplinks(1, 1)[0]); err != nil && !errors.Is(err, broker.ErrSessionClosed) {
				t.Errorf("publish: %v", err)
			}
			var violation *broker.ProtocolError
			if err := own.awaitLost(); !errors.As(err, &violation) {
				t.Errorf("lost: %v, want a protocol error", err)
			}
			if got := own.awaitAcknowledged(0); len(got) != 0 {
				t.Errorf("acknowledged %v", got)
			}
		})
	}
}

// Packet identifiers are used again after 65535, except those still waiting; a SUBSCRIBE has none of theirs.
func TestIdentifiersWrap(t *testing.T) {
	const n, kept = 66_000, 5
	o := scripted(t, func(s *script) {
		s.accept()
		used := map[uint16]bool{}
		for i := range n {
			sent, ok := s.next().(*packets.PublishPacket)
			if !ok {
				return
			}
			if used[sent.MessageID] || sent.MessageID < 4096 {
				s.t.Errorf("identifier %d is in use", sent.MessageID)
			}
			if i < kept {
				used[sent.MessageID] = true
				continue
			}
			s.puback(sent.MessageID)
		}
		for id := range used {
			s.puback(id)
		}
		s.drain()
	})
	s, own := connect(t, o)
	messages := uplinks(1, n)
	for len(messages) > 0 {
		window := min(90, len(messages))
		publish(t, s, messages[:window]...)
		messages = messages[window:]
		own.awaitAcknowledged(n - kept - len(messages))
	}
	got := own.awaitAcknowledged(n)
	slices.Sort(got)
	if !slices.Equal(got, numbers(1, n)) {
		t.Error("not every message was acknowledged exactly once")
	}
}

// numbers is first to last.
func numbers(first, last int) []uint64 {
	list := make([]uint64, 0, last-first+1)
	for i := first; i <= last; i++ {
		list = append(list, uint64(i))
	}
	return list
}
