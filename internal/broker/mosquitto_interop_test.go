//go:build interop

package broker_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

func TestMosquittoAllSchemes(t *testing.T) {
	const n = 1000
	m := testkit.StartMosquitto(t, testkit.WithSchemes(schemes...), testkit.WithUser("übel@", "p@:/ss#% w?"))
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			o := options(t, scheme+"://%C3%BCbel%40:p%40%3A%2Fss%23%25%20w%3F@"+m.Address(scheme))
			o = withTLS(t, o, m.CA())
			s, own := connect(t, o)
			if err := s.Subscribe(t.Context(), "lora/+"); err != nil {
				t.Fatal(err)
			}
			publish(t, s, uplinks(1, n)...)
			for i, seq := range own.awaitAcknowledged(n) {
				if seq != uint64(1+i) {
					t.Fatalf("acknowledgement %d is of %d", i, seq)
				}
			}
			for i, got := range own.awaitArrived(n) { // what it published comes back
				if want := (arrival{"lora/uplink", fmt.Sprintf(`{"n":%d}`, 1+i)}); got != want {
					t.Fatalf("message %d is %v, want %v", i, got, want)
				}
			}
			// Not subscribed to: mosquitto 2.0.11 stalls when it is to send that much to a WebSocket client.
			publish(t, s, broker.Message{Seq: 1, Topic: "large", Payload: make([]byte, 1<<20)})
			own.awaitAcknowledged(n + 1)

			o.URI.User = "nobody"
			o.ClientID = "another"
			var connack *broker.ConnackError
			if failed := refused(t, o, broker.StageConnack, broker.Refused); !errors.As(failed, &connack) || connack.Code != 5 {
				t.Errorf("%v", failed)
			}
		})
	}
}

func TestMosquittoCertificates(t *testing.T) {
	ca := testkit.NewCA(t)
	m := testkit.StartMosquitto(t, testkit.WithSchemes(secureSchemes...), testkit.WithCA(ca), testkit.WithClientCertificates())
	pair, stranger := ca.Client(t, "lorry"), testkit.NewCA(t).Client(t, "lorry")
	for _, scheme := range secureSchemes {
		o := options(t, m.URI(scheme))
		o.TLS = tlsConfig(t, ca.PEM(), &pair, "")
		s, own := connect(t, o)
		publish(t, s, uplinks(1, 10)...)
		own.awaitAcknowledged(10)
		own.close(s)

		o.TLS = tlsConfig(t, testkit.NewCA(t).PEM(), &pair, "")
		refused(t, o, broker.StageTLS, broker.Refused)
		o.TLS = tlsConfig(t, ca.PEM(), &pair, "elsewhere.example")
		refused(t, o, broker.StageTLS, broker.Refused)
		o.TLS = tlsConfig(t, ca.PEM(), &stranger, "")
		if s, err := broker.Connect(t.Context(), o, broker.Events{}); err == nil {
			s.Close()
			t.Errorf("%s: connected with a stranger's certificate", scheme)
		} else {
			t.Log(err)
		}
	}
}

func TestMosquittoRestart(t *testing.T) {
	m := testkit.StartMosquitto(t, testkit.WithSchemes(schemes...))
	for _, scheme := range schemes {
		o := withTLS(t, options(t, m.URI(scheme)), m.CA())
		_, own := connect(t, o)
		m.Stop()
		if err := own.awaitLost(); broker.Classify(err) != broker.Retryable {
			t.Errorf("%s: class of %v", scheme, err)
		} else {
			t.Log(err)
		}
		refused(t, o, broker.StageTCP, broker.Retryable)
		m.Start()
		s, own := connect(t, o)
		publish(t, s, uplinks(1, 10)...)
		own.awaitAcknowledged(10)
	}
}

func TestMosquittoTakeover(t *testing.T) {
	m := testkit.StartMosquitto(t)
	_, first := connect(t, options(t, m.URI("mqtt")))
	second, own := connect(t, options(t, m.URI("mqtt")))
	if err := first.awaitLost(); !errors.Is(err, broker.ErrClosedByBroker) && !errors.Is(err, broker.ErrReset) {
		t.Errorf("lost: %v", err)
	}
	publish(t, second, uplinks(1, 1)...)
	own.awaitAcknowledged(1)
}

func TestMosquittoThroughPubackProxy(t *testing.T) {
	m := testkit.StartMosquitto(t)
	proxy := testkit.NewPubackProxy(t, m.Address("mqtt"))
	s, own := connect(t, options(t, proxy.URI()))
	proxy.Withhold()
	publish(t, s, uplinks(1, 100)...)
	proxy.AwaitHeld(100)
	proxy.Release(40)
	own.awaitAcknowledged(40)
	proxy.Cut()
	if err := own.awaitLost(); broker.Classify(err) != broker.Retryable {
		t.Errorf("class of %v", err)
	}
	own.close(s)
	if got := own.awaitAcknowledged(0); len(got) != 40 {
		t.Errorf("%d acknowledged, want 40", len(got))
	}
}
