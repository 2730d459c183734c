package connection_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/fault"
)

func TestDecodingIsStrict(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"uri": "mqtt://h", "topic": "x"}`, "topic: is unknown; known here: id, description, uri, filter, topic_up, topic_down, " +
			"enabled, tags, source, mqtt, downlink, tls, websocket"},
		{`{"mqtt": {"max_inflght": 1}}`, "mqtt.max_inflght: is unknown; known here: client_id, keep_alive, ack_timeout, " +
			"max_inflight, retain, max_rate, connect_timeout"},
		{`{"mqtt": {"keep_alive": "30"}}`, "mqtt.keep_alive: must be a number with a unit, such as 500ms, 30s, 10m or 48h"},
		{`{"mqtt": {"max_inflight": "1"}, "enabled": "yes"}`, "mqtt.max_inflight: must be a whole number, is text; " +
			"enabled: must be true or false, is text"},
		{`{"tls": {"key": ["hunter2"]}}`, "tls.key: must be text, is a list"},
		{`{"websocket": {"headers": {"X-A": {}}}}`, "websocket.headers.X-A: must be text, is a mapping"},
		{`{"id": "a", "id": "b"}`, "id: is given more than once, again on line 1"},
		{`[]`, "must be a mapping, is a list"},
		{`null`, "is empty: a connection is expected"},
	} {
		for name, decode := range map[string]func([]byte) (connection.Spec, fault.List){
			"JSON": connection.DecodeJSON, "YAML": connection.DecodeYAML,
		} {
			if _, faults := decode([]byte(c.text)); faults.Error() != c.want {
				t.Errorf("%s %s:\ngot  %s\nwant %s", name, c.text, faults, c.want)
			}
		}
	}
}

func TestDecodeReportsSyntax(t *testing.T) {
	if _, faults := connection.DecodeJSON([]byte("{\n\"id\": }")); faults.Error() !=
		"line 2: is not JSON: invalid character '}' looking for beginning of value" {
		t.Error(faults)
	}
	if _, faults := connection.DecodeYAML([]byte("")); len(faults) != 1 {
		t.Error(faults)
	}
}

func TestNumbersAreTextWhereYAMLWantsText(t *testing.T) {
	s, faults := connection.DecodeYAML([]byte("filter: 590e8\nmqtt: {keep_alive: 0, client_id: 007}\ntags: {customer: 42}"))
	if len(faults) > 0 || s.Filter != "590e8" || s.MQTT.KeepAlive != 0 || s.MQTT.ClientID != "007" || s.Tags["customer"] != "42" {
		t.Errorf("%+v, %v", s, faults)
	}
}

func TestStandardJSONIsNoLessStrict(t *testing.T) {
	var list []connection.Spec
	err := json.Unmarshal([]byte(`[{"id": "a"}, {"topic": "x"}]`), &list)
	if faults, ok := errors.AsType[fault.List](err); !ok || len(faults) != 1 || faults[0].Path != "topic" {
		t.Errorf("%v", err)
	}
	if err := json.Unmarshal([]byte(`[{"id": "a"}]`), &list); err != nil || !list[0].Enabled || list[0].MQTT.MaxInflight != 100 {
		t.Errorf("%+v, %v", list, err)
	}
}
