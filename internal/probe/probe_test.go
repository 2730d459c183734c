package probe_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/probe"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

func TestAConnectionThatWorks(t *testing.T) {
	ns := startNS(t, nil)
	b := testkit.StartBroker(t, testkit.WithSchemes("mqtt", "mqtts", "ws", "wss"), testkit.WithUser("user", password))
	for scheme, want := range map[string]string{
		"mqtt": "tcp connack suback puback", "mqtts": "tcp tls connack suback puback",
		"ws": "tcp websocket connack suback puback", "wss": "tcp tls websocket connack suback puback",
	} {
		uri := strings.Replace(b.URI(scheme), "://", "://user:hunter2%2F%C3%BC@", 1)
		r := probe.Probe(t.Context(), spec(t, uri, ns.URL(), func(s *connection.Spec) {
			if strings.HasSuffix(scheme, "s") && scheme != "ws" {
				s.TLS.CA = string(b.CA().PEM())
			}
		}), nil)
		if !r.OK || stages(r.Broker) != want || stages(r.Source) != "tcp websocket stream" {
			t.Errorf("%s: %+v", scheme, r)
		}
		withoutSecrets(t, r, password, "hunter2", token)
	}
}

// What the customer's side sees of a test is what the package says.
func TestWhatATestLeavesBehind(t *testing.T) {
	ns := startNS(t, nil)
	b := testkit.StartBroker(t)
	s := spec(t, b.URI("mqtt"), ns.URL(), func(s *connection.Spec) { s.MQTT.Retain = true })
	if r := probe.Probe(t.Context(), s, nil); !r.OK {
		t.Fatalf("%+v", r)
	}
	b.AwaitDisconnects(1)
	published := b.Published()
	if len(published) != 1 || b.Connects() != 1 {
		t.Fatalf("%d CONNECTs, published %+v", b.Connects(), published)
	}
	p := published[0]
	if p.Topic != "lora/{type}/{device}" || p.QoS != 1 || p.Retain || p.Dup || len(p.Client) != 23 || !strings.HasPrefix(p.Client, "lorrytest") {
		t.Errorf("published %+v", p)
	}
	env, err := dataapi.Scan(p.Payload)
	if err != nil || env.Type != dataapi.Info || env.Meta.Time < 1.7e9 || !strings.Contains(string(p.Payload), "to be ignored") {
		t.Errorf("%s: %v", p.Payload, err)
	}
}

// A session that runs goes on, with nothing lost and nothing that was not meant for it.
func TestATestDisturbsNoSession(t *testing.T) {
	ns := startNS(t, nil)
	b := testkit.StartBroker(t)
	s := spec(t, b.URI("mqtt"), ns.URL(), nil)
	uri, err := broker.ParseURI(s.URI.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	arrived, lost := make(chan string, 10), make(chan error, 1)
	running, err := broker.Connect(t.Context(), broker.Options{URI: uri, ClientID: s.MQTT.ClientID}, broker.Events{
		Arrived: func(_ string, payload []byte) { arrived <- string(payload) },
		Lost:    func(err error) { lost <- err },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	if err := running.Subscribe(t.Context(), s.TopicDown); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if r := probe.Probe(t.Context(), s, nil); !r.OK {
			t.Fatalf("%+v", r)
		}
	}
	b.Send(s.TopicDown, []byte("a downlink"), 1)
	select {
	case got := <-arrived:
		if got != "a downlink" {
			t.Errorf("%q arrived", got)
		}
	case err := <-lost:
		t.Errorf("the session was lost: %v", err)
	case <-time.After(testkit.Patience):
		t.Error("nothing arrived")
	}
}

func TestATestOfAConnectionWithoutTopicDown(t *testing.T) {
	b := testkit.StartBroker(t)
	r := probe.Probe(t.Context(), spec(t, b.URI("mqtt"), startNS(t, nil).URL(), func(s *connection.Spec) { s.TopicDown = "" }), nil)
	if !r.OK || stages(r.Broker) != "tcp connack puback" {
		t.Errorf("%+v", r)
	}
}

// A member of the group for the time of the test would take messages from the running session.
func TestATestTakesNothingFromASharedSubscription(t *testing.T) {
	var asked []string
	uri := scripted(t, asking(&asked))
	r := probe.Probe(t.Context(), spec(t, uri, startNS(t, nil).URL(), func(s *connection.Spec) { s.TopicDown = "$share/lorry/down/#" }), nil)
	if len(asked) != 1 || asked[0] != "down/#" || !r.OK || !strings.Contains(r.Broker[2].Detail, `"down/#"`) {
		t.Errorf("asked for %q, %+v", asked, r)
	}
}

func TestATestIsBoundedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := spec(t, "mqtt://broker.example", "ws://ns.example", func(s *connection.Spec) {
			s.MQTT.ConnectTimeout = connection.Duration(5 * time.Minute)
		})
		begin := time.Now()
		r := probe.Probe(t.Context(), s, unreachable)
		if took := time.Since(begin); took != probe.MaxDuration || r.OK {
			t.Errorf("it took %v", took)
		}
		assertFailure(t, "broker", r.Broker, "tcp!", "the test's 30s are over", "host and port")
		assertFailure(t, "source", r.Source, "tcp!", "the test's 30s are over", "host and port")
		if d := time.Duration(r.Broker[0].Duration); d != probe.MaxDuration {
			t.Errorf("the stage took %v", d)
		}

		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errors.New("who asked has gone")) })
		begin = time.Now()
		r = probe.Probe(ctx, s, unreachable)
		if took := time.Since(begin); took != time.Second {
			t.Errorf("it took %v", took)
		}
		assertFailure(t, "broker", r.Broker, "tcp!", "who asked has gone", "")
	})
}

func TestAReportInJSON(t *testing.T) {
	r := probe.Report{OK: false, Broker: []probe.Stage{
		{Name: probe.StageDNS, OK: true, Duration: connection.Duration(1500 * time.Microsecond)},
		{Name: probe.StageTCP, Duration: connection.Duration(time.Second), Error: "refused", Mend: "start it"},
	}, Source: []probe.Stage{}}
	got, err := json.Marshal(r)
	want := `{"ok":false,"broker":[{"name":"dns","ok":true,"duration":"1.5ms"},` +
		`{"name":"tcp","ok":false,"duration":"1s","error":"refused","mend":"start it"}],"source":[]}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}
