package endpoint_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/endpoint"
	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

var errDial = errors.New("dialled")

func dial(context.Context, string, string) (net.Conn, error) { return nil, errDial }

func spec(t *testing.T) connection.Spec {
	t.Helper()
	ca := testkit.NewCA(t)
	pair := ca.Client(t, "lorry")
	s := connection.Defaults()
	s.ID, s.Filter, s.TopicUp = "acme", "f", "up/{device}"
	s.URI = connection.NewURI("wss://user:p%40ss@broker.example/ws")
	s.Source = connection.Source{Kind: connection.SourceWebSocket, URL: "wss://ns.example/", HistoryURL: "https://ns.example/history", AccessToken: secret.New("token"), Radio: true, LoRa: true, Duplicate: true}
	s.MQTT.KeepAlive, s.MQTT.AckTimeout, s.MQTT.ConnectTimeout = connection.Duration(time.Minute), connection.Duration(2*time.Second), connection.Duration(3*time.Second)
	s.MQTT.Retain = true
	s.TLS = connection.TLS{CA: string(ca.PEM()), Certificate: string(pair.Certificate), Key: secret.New(string(pair.Key)), ServerName: "other.example", ALPN: []string{"mqtt"}}
	s.WebSocket.Headers["X-Api-Key"] = secret.New("key")
	return s.WithDefaults(connection.SourceDefaults{})
}

func TestBrokerSaysAllThatTheConnectionDoes(t *testing.T) {
	o, err := endpoint.Broker(spec(t), dial)
	if err != nil {
		t.Fatal(err)
	}
	if o.URI.Redacted() != "wss://user:***@broker.example:443/ws" || o.ClientID != "lorry-acme" || o.KeepAlive != time.Minute ||
		o.AckTimeout != 2*time.Second || o.ConnectTimeout != 3*time.Second || !o.Retain || o.Header.Get("X-Api-Key") != "key" {
		t.Errorf("%+v", o)
	}
	if o.TLS.ServerName != "other.example" || len(o.TLS.Certificates) != 1 || o.TLS.RootCAs == nil || o.TLS.NextProtos[0] != "mqtt" {
		t.Errorf("%+v", o.TLS)
	}
	if _, err := broker.Connect(t.Context(), o, broker.Events{}); !errors.Is(err, errDial) {
		t.Errorf("%v", err)
	}
}

func TestBrokerNeedsNoTLSWithoutIt(t *testing.T) {
	s := spec(t)
	s.URI = connection.NewURI("mqtt://broker.example")
	if o, err := endpoint.Broker(s, nil); err != nil || o.TLS != nil {
		t.Errorf("%+v, %v", o.TLS, err)
	}
}

func TestBrokerRefusesWhatCannotBeOpened(t *testing.T) {
	for want, change := range map[string]func(*connection.Spec){
		"uri: the scheme": func(s *connection.Spec) { s.URI = connection.NewURI("http://broker.example") },
		"tls.ca: ":        func(s *connection.Spec) { s.TLS.CA = "x" },
	} {
		s := spec(t)
		change(&s)
		if _, err := endpoint.Broker(s, nil); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestSourceSaysAllThatTheConnectionDoes(t *testing.T) {
	o := endpoint.Source(spec(t), dial)
	if o.URL != "wss://ns.example/" || o.AccessToken.Reveal() != "token" || o.Filter != "f" || !o.Radio || !o.Lora || !o.Duplicate || o.Dial == nil {
		t.Errorf("%+v", o)
	}
}

func TestHistorySaysAllThatTheConnectionDoes(t *testing.T) {
	o := endpoint.History(spec(t), dial)
	if o.URL != "https://ns.example/history" || o.AccessToken.Reveal() != "token" || o.Filter != "f" || !o.Radio || !o.Lora || !o.Duplicate || o.Dial == nil {
		t.Errorf("%+v", o)
	}
}
