package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

var schemes = []string{"mqtt", "mqtts", "ws", "wss"}

// withTLS trusts the broker's authority.
func withTLS(t testing.TB, o broker.Options, ca *testkit.CA) broker.Options {
	t.Helper()
	config, err := broker.TLSConfig(ca.PEM(), nil, nil, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	o.TLS = config
	return o
}

func TestAllSchemes(t *testing.T) {
	b := testkit.StartBroker(t, testkit.WithSchemes(schemes...), testkit.WithUser("übel@", "p@:/ss#% w?"))
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			uri := scheme + "://%C3%BCbel%40:p%40%3A%2Fss%23%25%20w%3F@" + b.Address(scheme)
			s, own := connect(t, withTLS(t, options(t, uri), b.CA()))
			if err := s.Subscribe(t.Context(), "down/"+scheme); err != nil {
				t.Fatal(err)
			}
			if qos, ok := s.Granted("down/" + scheme); qos != 1 || !ok {
				t.Errorf("granted QoS %d, %t", qos, ok)
			}
			before := len(b.Published())
			publish(t, s, uplinks(7, 300)...)
			b.Send("down/"+scheme, []byte("hello"), 1)

			for i, seq := range own.awaitAcknowledged(300) {
				if seq != uint64(7+i) {
					t.Fatalf("acknowledgement %d is of %d", i, seq)
				}
			}
			for i, m := range b.AwaitPublished(before + 300)[before:] {
				want := fmt.Sprintf(`{"n":%d}`, 7+i)
				if m.Topic != "lora/uplink" || string(m.Payload) != want || m.QoS != 1 || m.Dup || m.Retain || m.Client != "test" {
					t.Fatalf("published %d: %+v, want payload %s", i, m, want)
				}
			}
			if got := own.awaitArrived(1)[0]; got != (arrival{"down/" + scheme, "hello"}) {
				t.Errorf("arrived: %v", got)
			}
		})
	}
	if b.Connects() != len(schemes) {
		t.Errorf("%d CONNECT packets for %d sessions", b.Connects(), len(schemes))
	}
}

func TestLongTopicsAndPayloads(t *testing.T) {
	b := testkit.StartBroker(t, testkit.WithSchemes(schemes...))
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			s, own := connect(t, withTLS(t, options(t, b.URI(scheme)), b.CA()))
			before := len(b.Published())
			topic := strings.Repeat("t", 65535)
			payload := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
			publish(t, s,
				broker.Message{Seq: 1, Topic: topic, Payload: payload},
				broker.Message{Seq: 2, Topic: "empty"},
				broker.Message{Seq: 3, Topic: "t", Payload: payload})
			own.awaitAcknowledged(3)
			got := b.AwaitPublished(before + 3)[before:]
			if got[0].Topic != topic || !bytes.Equal(got[0].Payload, payload) ||
				got[1].Topic != "empty" || len(got[1].Payload) != 0 || !bytes.Equal(got[2].Payload, payload) {
				t.Error("what was published is not what arrived")
			}
			if err := s.Subscribe(t.Context(), "down"); err != nil {
				t.Fatal(err)
			}
			b.Send("down", payload, 1)
			if got := own.awaitArrived(1)[0]; got.payload != string(payload) {
				t.Errorf("a payload of %d bytes arrived as %d others", len(payload), len(got.payload))
			}
		})
	}
}

func TestUnpublishable(t *testing.T) {
	b := testkit.StartBroker(t)
	s, own := connect(t, options(t, b.URI("mqtt")))
	for _, topic := range []string{"", strings.Repeat("t", 65536)} {
		err := s.Publish(broker.Message{Seq: 1, Topic: topic})
		if !errors.Is(err, broker.ErrUnpublishable) {
			t.Errorf("topic of %d bytes: %v", len(topic), err)
		}
	}
	publish(t, s, uplinks(2, 1)...) // the session is as it was
	own.awaitAcknowledged(1)
}

func TestRetain(t *testing.T) {
	b := testkit.StartBroker(t)
	o := options(t, b.URI("mqtt"))
	o.Retain = true
	s, own := connect(t, o)
	publish(t, s, uplinks(1, 1)...)
	own.awaitAcknowledged(1)
	if m := b.Published()[0]; !m.Retain {
		t.Errorf("not retained: %+v", m)
	}
}

func TestCloseSaysDisconnect(t *testing.T) {
	b := testkit.StartBroker(t, testkit.WithSchemes(schemes...))
	for i, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			s, own := connect(t, withTLS(t, options(t, b.URI(scheme)), b.CA()))
			own.close(s)
			s.Close() // idempotent
			b.AwaitDisconnects(i + 1)
			if err := s.Publish(uplinks(1, 1)[0]); !errors.Is(err, broker.ErrSessionClosed) {
				t.Errorf("publish after Close: %v", err)
			}
			if err := s.Subscribe(t.Context(), "x"); !errors.Is(err, broker.ErrSessionClosed) {
				t.Errorf("subscribe after Close: %v", err)
			}
			if own.mu.Lock(); len(own.lost) > 0 {
				t.Errorf("lost: %v", own.lost)
			}
			own.mu.Unlock()
		})
	}
}

func TestTakeover(t *testing.T) {
	b := testkit.StartBroker(t)
	_, first := connect(t, options(t, b.URI("mqtt")))
	second, own := connect(t, options(t, b.URI("mqtt")))
	if err := first.awaitLost(); !errors.Is(err, broker.ErrClosedByBroker) && !errors.Is(err, broker.ErrReset) {
		t.Errorf("lost: %v", err)
	}
	publish(t, second, uplinks(1, 1)...)
	own.awaitAcknowledged(1)
}

func TestBrokerRestart(t *testing.T) {
	b := testkit.StartBroker(t)
	s, own := connect(t, options(t, b.URI("mqtt")))
	b.Stop()
	err := own.awaitLost()
	if broker.Classify(err) != broker.Retryable {
		t.Errorf("class of %v", err)
	}
	if err := s.Publish(uplinks(1, 1)[0]); !errors.Is(err, broker.ErrSessionClosed) {
		t.Errorf("publish after the loss: %v", err)
	}
	refused(t, options(t, b.URI("mqtt")), broker.StageTCP, broker.Retryable)
	b.Start()
	again, own := connect(t, options(t, b.URI("mqtt")))
	publish(t, again, uplinks(1, 1)...)
	own.awaitAcknowledged(1)
}

func TestDialIsAsked(t *testing.T) {
	b := testkit.StartBroker(t)
	o := options(t, "mqtt://denied.example")
	o.Dial = func(_ context.Context, _, address string) (net.Conn, error) { return nil, denied(address) }
	failed := refused(t, o, broker.StageTCP, broker.Refused)
	if !strings.Contains(failed.Error(), "denied.example:1883") {
		t.Errorf("the error does not say what was denied: %v", failed)
	}
	if b.Connects() != 0 {
		t.Error("connected in spite of that")
	}
}

type denied string

func (d denied) Error() string { return "egress policy denies " + string(d) }
func (denied) Refused() bool   { return true }
