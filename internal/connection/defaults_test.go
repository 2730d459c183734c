package connection_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

// The contract's example gives the defaults.
func TestDefaults(t *testing.T) {
	s, faults := connection.DecodeJSON([]byte(`{
	  "id": "", "description": "", "uri": "", "filter": "", "topic_up": "", "topic_down": "", "enabled": true, "tags": {},
	  "source": {"kind": "websocket", "url": "", "access_token": "", "radio": false, "lora": false, "duplicate": false,
	             "subject": "", "history_url": ""},
	  "mqtt": {"client_id": "", "keep_alive": "30s", "ack_timeout": "1s", "max_inflight": 100,
	           "retain": false, "max_rate": 0, "connect_timeout": "10s"},
	  "downlink": {"max_wait": "2s"},
	  "tls": {"ca": "", "certificate": "", "key": "", "server_name": "", "alpn": []},
	  "websocket": {"headers": {}}}`))
	if len(faults) > 0 || !reflect.DeepEqual(s, connection.Defaults()) {
		t.Errorf("%+v\nwant %+v\n%v", s, connection.Defaults(), faults)
	}
}

func TestWithDefaults(t *testing.T) {
	s := minimal().WithDefaults(node)
	if s.MQTT.ClientID != "lorry-acme" {
		t.Errorf("client_id = %q", s.MQTT.ClientID)
	}
	if s.Source.URL != node.URL || s.Source.AccessToken != node.AccessToken || s.Source.HistoryURL != node.HistoryURL {
		t.Errorf("source = %+v", s.Source)
	}
	if again := s.WithDefaults(connection.SourceDefaults{URL: "wss://elsewhere.example/"}); !reflect.DeepEqual(again, s) {
		t.Errorf("a complete connection was changed: %+v", again)
	}
	if full := full(t); !reflect.DeepEqual(full.WithDefaults(node), full) {
		t.Errorf("what was said was changed: %+v", full.WithDefaults(node))
	}

	s = minimal()
	s.Source.Kind = connection.SourceNATS
	s = s.WithDefaults(node)
	if want := (connection.Source{Kind: connection.SourceNATS, Subject: "ns." + s.Filter + ".>", ReplayMargin: connection.Duration(time.Minute)}); s.Source != want {
		t.Errorf("source = %+v", s.Source)
	}
}

// Whoever may write a connection must not get the node's access token sent to a server of theirs.
func TestTheNodesTokenGoesToTheNodesURLsOnly(t *testing.T) {
	for _, own := range []connection.Source{
		{Kind: connection.SourceWebSocket, URL: "wss://evil.example/"},
		{Kind: connection.SourceWebSocket, HistoryURL: "https://evil.example/"},
		{Kind: connection.SourceWebSocket, URL: "wss://evil.example/", HistoryURL: "https://evil.example/"},
		{Kind: connection.SourceNATS},
	} {
		s := minimal()
		s.Source = own
		if s = s.WithDefaults(node); !s.Source.AccessToken.IsZero() {
			t.Errorf("%+v got the node's token", own)
		}
	}
	s := minimal()
	s.Source.AccessToken = secret.New("own")
	if s = s.WithDefaults(node); s.Source.URL != node.URL || s.Source.AccessToken.Reveal() != "own" {
		t.Errorf("an own token at the node's URL: %+v", s.Source)
	}
}

func TestSourceDefaultsValidate(t *testing.T) {
	if faults := node.Validate(); len(faults) > 0 {
		t.Error(faults)
	}
	if faults := (connection.SourceDefaults{}).Validate(); len(faults) > 0 {
		t.Error(faults)
	}
	bad := connection.SourceDefaults{URL: "http://x", HistoryURL: "ws://x", AccessToken: secret.New("***")}
	if faults := bad.Validate(); len(faults) != 3 || faults[0].Path != "url" || faults[1].Path != "history_url" || faults[2].Path != "access_token" {
		t.Error(faults)
	}
}
