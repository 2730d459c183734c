package connection_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

func TestValidConnections(t *testing.T) {
	for name, s := range map[string]connection.Spec{"minimal": minimal(), "full": full(t)} {
		if faults := s.WithDefaults(node).Validate(); len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
	}
}

func TestFaults(t *testing.T) {
	certificate, key := pair(t)
	otherCertificate, _ := pair(t)
	d := func(d time.Duration) connection.Duration { return connection.Duration(d) }
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		path, reason string // of the one fault; the reason contains this
		change       func(*connection.Spec)
	}{
		{"id", "is required", func(s *connection.Spec) { s.ID = "" }},
		{"id", "1 to 63 of a-z, 0-9 and -", func(s *connection.Spec) { s.ID = "Acme" }},
		{"id", "1 to 63", func(s *connection.Spec) { s.ID = "-a" }},
		{"id", "1 to 63", func(s *connection.Spec) { s.ID = long(64) }},
		{"id", "1 to 63", func(s *connection.Spec) { s.ID = "a\n" }},
		{"description", "longer than 1000", func(s *connection.Spec) { s.Description = strings.Repeat("ü", 1001) }},
		{"description", "control characters", func(s *connection.Spec) { s.Description = "a\x00" }},
		{"description", "UTF-8", func(s *connection.Spec) { s.Description = "\xff" }},
		{"uri", "is required", func(s *connection.Spec) { s.URI = connection.URI{} }},
		{"uri", "scheme", func(s *connection.Spec) { s.URI = connection.NewURI("http://broker.example") }},
		{"uri", "port", func(s *connection.Spec) { s.URI = connection.NewURI("wss://user:pw@broker.example:hunter2") }},
		{"uri", "mask ***", func(s *connection.Spec) { s.URI = connection.NewURI("wss://user:***@broker.example") }},
		{"filter", "is required", func(s *connection.Spec) { s.Filter = "" }},
		{"filter", "without spaces", func(s *connection.Spec) { s.Filter = "a b" }},
		{"filter", "at most 128", func(s *connection.Spec) { s.Filter = long(129) }},
		{"topic_up", "is required", func(s *connection.Spec) { s.TopicUp = "" }},
		{"topic_up", "", func(s *connection.Spec) { s.TopicUp = "lora/#" }},
		{"topic_down", "", func(s *connection.Spec) { s.TopicDown = "a/#/b" }},
		{"topic_down", `such as "lora/`, func(s *connection.Spec) { s.TopicDown = "lora/#" }},
		{"tags", "more than 64", func(s *connection.Spec) {
			for i := range 65 {
				s.Tags[fmt.Sprint(i)] = ""
			}
		}},
		{`tags["a=b"]`, "a tag's name", func(s *connection.Spec) { s.Tags["a=b"] = "" }},
		{"tags.a", "a tag's value", func(s *connection.Spec) { s.Tags["a"] = long(257) }},
		{"tags.a", "a tag's value", func(s *connection.Spec) { s.Tags["a"] = "\n" }},

		{"source.kind", "must be websocket", func(s *connection.Spec) { s.Source.Kind = "mqtt" }},
		{"source.kind", "nats is not available in this version: ", func(s *connection.Spec) {
			s.Source = connection.Source{Kind: connection.SourceNATS, Subject: "ns.*.>"}
		}},
		{"source.kind", "nats is not available in this version: ", func(s *connection.Spec) { // whatever else is said for it
			s.Source = connection.Source{Kind: connection.SourceNATS, URL: "x", Subject: "ns..a", Radio: true}
		}},
		{"source.url", "ws:// or wss://", func(s *connection.Spec) { s.Source.URL = "https://ns.example/" }},
		{"source.url", "ws:// or wss://", func(s *connection.Spec) { s.Source.URL = "wss:///data" }},
		{"source.url", "ws:// or wss://", func(s *connection.Spec) { s.Source.URL = "wss://ns.example/%zz?access_token=hunter2" }},
		{"source.url", "neither query nor fragment", func(s *connection.Spec) { s.Source.URL += "?access_token=hunter2" }},
		{"source.url", "neither query nor fragment", func(s *connection.Spec) { s.Source.URL += "?" }},
		{"source.url", "no user and password", func(s *connection.Spec) { s.Source.URL = "wss://u:hunter2@ns.example/" }},
		{"source.history_url", "http:// or https://", func(s *connection.Spec) { s.Source.HistoryURL = "wss://ns.example/" }},
		{"source.access_token", "is required", func(s *connection.Spec) { s.Source.AccessToken = secret.String{} }},
		{"source.access_token", "mask ***", func(s *connection.Spec) { s.Source.AccessToken = secret.New("***") }},
		{"source.access_token", "control characters", func(s *connection.Spec) { s.Source.AccessToken = secret.New("hunter2\n") }},
		{"source.subject", "is for kind nats, which is not available in this version", func(s *connection.Spec) { s.Source.Subject = "ns.a" }},

		{"mqtt.client_id", "65535", func(s *connection.Spec) { s.MQTT.ClientID = long(65536) }},
		{"mqtt.client_id", "UTF-8", func(s *connection.Spec) { s.MQTT.ClientID = "\xff" }},
		{"mqtt.client_id", "NUL", func(s *connection.Spec) { s.MQTT.ClientID = "a\x00" }},
		{"mqtt.keep_alive", "from 5s to 18h12m15s", func(s *connection.Spec) { s.MQTT.KeepAlive = d(4 * time.Second) }},
		{"mqtt.keep_alive", "from 5s to 18h12m15s", func(s *connection.Spec) { s.MQTT.KeepAlive = d(65536 * time.Second) }},
		{"mqtt.keep_alive", "from 5s to 18h12m15s", func(s *connection.Spec) { s.MQTT.KeepAlive = d(-time.Second) }},
		{"mqtt.keep_alive", "from 5s to 18h12m15s", func(s *connection.Spec) { s.MQTT.KeepAlive = 0 }},
		{"mqtt.keep_alive", "whole seconds", func(s *connection.Spec) { s.MQTT.KeepAlive = d(5500 * time.Millisecond) }},
		{"mqtt.ack_timeout", "from 100ms to 1m", func(s *connection.Spec) { s.MQTT.AckTimeout = d(99 * time.Millisecond) }},
		{"mqtt.ack_timeout", "from 100ms to 1m", func(s *connection.Spec) { s.MQTT.AckTimeout = d(61 * time.Second) }},
		{"mqtt.connect_timeout", "from 100ms to 5m", func(s *connection.Spec) { s.MQTT.ConnectTimeout = 0 }},
		{"mqtt.max_inflight", "from 1 to 1000", func(s *connection.Spec) { s.MQTT.MaxInflight = 0 }},
		{"mqtt.max_inflight", "from 1 to 1000", func(s *connection.Spec) { s.MQTT.MaxInflight = 1001 }},
		{"mqtt.max_rate", "at most 1000000", func(s *connection.Spec) { s.MQTT.MaxRate = -1 }},
		{"downlink.max_wait", "from 0s to 1m", func(s *connection.Spec) { s.Downlink.MaxWait = d(time.Hour) }},
		{"source.replay_margin", "from 1s to 1h", func(s *connection.Spec) { s.Source.ReplayMargin = 0 }},
		{"source.replay_margin", "from 1s to 1h", func(s *connection.Spec) { s.Source.ReplayMargin = d(2 * time.Hour) }},
		{"downlink.max_wait", "from 0s to 1m", func(s *connection.Spec) { s.Downlink.MaxWait = -1 }},

		{"tls.ca", "PEM", func(s *connection.Spec) { s.TLS.CA = "hunter2" }},
		{"tls.ca", "PRIVATE KEY", func(s *connection.Spec) { s.TLS.CA = key }},
		{"tls.ca", "certificate", func(s *connection.Spec) {
			s.TLS.CA = strings.Replace(certificate, "MII", "AAA", 1) + strings.Replace(certificate, "M", "A", 1)
		}},
		{"tls.certificate", "PEM", func(s *connection.Spec) { s.TLS.Certificate = "hunter2" }},
		{"tls.certificate", "is required with key", func(s *connection.Spec) { s.TLS.Certificate = "" }},
		{"tls.key", "is required with certificate", func(s *connection.Spec) { s.TLS.Key = secret.String{} }},
		{"tls.key", "must be PEM", func(s *connection.Spec) { s.TLS.Key = secret.New("hunter2") }},
		{"tls.key", "mask ***", func(s *connection.Spec) { s.TLS.Key = secret.New("***") }},
		{"tls.key", "does not match", func(s *connection.Spec) { s.TLS.Certificate = otherCertificate }},
		{"tls.key", "unencrypted", func(s *connection.Spec) {
			s.TLS.Key = secret.New("-----BEGIN ENCRYPTED PRIVATE KEY-----\naGFu\n-----END ENCRYPTED PRIVATE KEY-----\n")
		}},
		{"tls.server_name", "host name", func(s *connection.Spec) { s.TLS.ServerName = "a b" }},
		{"tls.server_name", "host name", func(s *connection.Spec) { s.TLS.ServerName = "a..b" }},
		{"tls.alpn[1]", "1 to 255 bytes", func(s *connection.Spec) { s.TLS.ALPN = []string{"mqtt", ""} }},

		{"websocket.headers", "more than 32", func(s *connection.Spec) {
			for i := range 33 {
				s.WebSocket.Headers[fmt.Sprintf("X-%d", i)] = secret.New("v")
			}
		}},
		{"websocket.headers.sec-websocket-protocol", "itself", header("sec-websocket-protocol", "mqtt")},
		{"websocket.headers.HOST", "itself", header("HOST", "h")},
		{"websocket.headers.upgrade", "itself", header("upgrade", "h")},
		{"websocket.headers.Connection", "itself", header("Connection", "h")},
		{`websocket.headers["X A"]`, "no header name", header("X A", "v")},
		{`websocket.headers[""]`, "no header name", header("", "v")},
		{"websocket.headers.x-api-key", "the same header as X-Api-Key", header("x-api-key", "v")},
		{"websocket.headers.X-B", "control characters", header("X-B", "hunter2\r\nX-C: d")},
		{"websocket.headers.X-B", "mask ***", header("X-B", "***")},
	} {
		s := full(t)
		s.TLS.Certificate, s.TLS.Key = certificate, secret.New(key)
		c.change(&s)
		faults := s.Validate()
		if len(faults) != 1 || faults[0].Path != c.path || !strings.Contains(faults[0].Reason, c.reason) {
			t.Errorf("want %s: …%s…\ngot  %v", c.path, c.reason, faults)
		}
		if text := faults.Error(); strings.Contains(text, "hunter") || strings.Contains(text, "%!") {
			t.Errorf("%s: the fault shows a secret or is malformed: %s", c.path, text)
		}
	}
}

func header(name, value string) func(*connection.Spec) {
	return func(s *connection.Spec) { s.WebSocket.Headers[name] = secret.New(value) }
}

// What only TLS and WebSocket use is refused where it would silently do nothing.
func TestSettingsWithoutEffect(t *testing.T) {
	for scheme, want := range map[string][]string{
		"mqtt":  {"tls.ca", "tls.certificate", "tls.key", "tls.server_name", "tls.alpn", "websocket.headers.X-Api-Key"},
		"mqtts": {"websocket.headers.X-Api-Key"},
		"ws":    {"tls.ca", "tls.certificate", "tls.key", "tls.server_name", "tls.alpn"},
		"wss":   nil,
	} {
		s := full(t)
		s.URI = connection.NewURI(scheme + "://broker.example")
		var got []string
		for _, f := range s.Validate() {
			got = append(got, f.Path)
			if !strings.Contains(f.Reason, "has no effect: uri begins with "+scheme+"://") {
				t.Errorf("%s: %s", scheme, f)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: faults at %v, want %v", scheme, got, want)
		}
	}
}

func TestEveryFaultAtOnce(t *testing.T) {
	s := connection.Spec{Source: connection.Source{Kind: connection.SourceWebSocket}}
	var got []string
	for _, f := range s.Validate() {
		got = append(got, f.Path)
	}
	want := []string{"id", "filter", "uri", "topic_up", "source.url", "source.replay_margin", "mqtt.keep_alive",
		"mqtt.ack_timeout", "mqtt.connect_timeout", "mqtt.max_inflight", "downlink.expired_requests"}
	if !slices.Equal(got, want) {
		t.Errorf("faults at %v, want %v", got, want)
	}
}

func TestBounds(t *testing.T) {
	s := full(t)
	s.ID = strings.Repeat("a", 63)
	s.MQTT.KeepAlive, s.MQTT.MaxInflight, s.MQTT.MaxRate = connection.Duration(5*time.Second), 1, 0
	s.MQTT.AckTimeout, s.Downlink.MaxWait = connection.Duration(100*time.Millisecond), 0
	s.Source.ReplayMargin = connection.Duration(time.Second)
	low := s.Validate()
	s.MQTT.KeepAlive, s.MQTT.MaxInflight, s.MQTT.MaxRate = connection.Duration(65535*time.Second), 1000, 1_000_000
	s.MQTT.AckTimeout, s.Downlink.MaxWait = connection.Duration(time.Minute), connection.Duration(time.Minute)
	s.Source.ReplayMargin = connection.Duration(time.Hour)
	s.MQTT.ClientID = strings.Repeat("c", 65535)
	if high := s.Validate(); len(low) > 0 || len(high) > 0 {
		t.Errorf("the bounds themselves are refused: %v; %v", low, high)
	}
}

// Where it cannot be told whether the topics overlap, the connection is refused all the same.
func TestIntricateTopics(t *testing.T) {
	s := minimal().WithDefaults(node)
	s.TopicUp = strings.Repeat("{device}a{gateway}{network}{application}", 8)
	s.TopicDown = strings.Repeat("a", 200) + "b"
	faults := s.Validate()
	if len(faults) != 1 || faults[0].Path != "topic_down" || !strings.Contains(faults[0].Reason, "too intricate") {
		t.Error(faults)
	}
}

func TestValidHost(t *testing.T) {
	for _, host := range []string{"a", "broker.example", "10.0.0.1", "::1", "fe80::1%eth0", "a_b.example", "xn--bcher-kva.example",
		strings.Repeat("a", 63)} {
		if !connection.ValidHost(host) {
			t.Errorf("%q is refused", host)
		}
	}
	for _, host := range []string{"", ".", "a.", "a..b", "-a", "a-", "a b", "bücher.example", "a:1", "[::1]", strings.Repeat("a", 64),
		strings.Repeat("abcdefgh.", 30) + "a"} {
		if connection.ValidHost(host) {
			t.Errorf("%q is accepted", host)
		}
	}
}
