package dataapi_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func TestScanFixtures(t *testing.T) {
	tests := map[string]struct {
		kind         dataapi.Type
		device       string
		time, txTime float64
		bare, fromNS bool
	}{
		"uplink":                 {"uplink", "0004a30b001c8d5e", 1765432101.248117, 0, false, true},
		"uplink_radio_lora":      {"uplink", "0004a30b001c8d5e", 1765432161.502309, 0, false, true},
		"uplink_modulation_name": {"uplink", "0004a30b001c8d5e", 1765432161.502309, 0, false, true},
		"uplink_copy_first":      {"uplink", "0004a30b001c8d5e", 1765432221.7150421, 0, false, true},
		"uplink_copy_second":     {"uplink", "0004a30b001c8d5e", 1765432221.7228913, 0, false, true},
		"uplink_stuck_counter":   {"uplink", "0004a30b001c8d5e", 1765432281.909774, 0, false, true},
		"uplink_no_payload":      {"uplink", "0004a30b001c8d5e", 1765432341.08, 0, false, true},
		"downlink_request":       {"downlink_request", "0004a30b001c8d5e", 1765432101.251903, 1765432106.1837642, false, true},
		"downlink":               {"downlink", "0004a30b001c8d5e", 1765432106.190551, 0, false, true},
		"downlink_response":      {"downlink_response", "0004a30b001c8d5e", 1765432101.251903, 0, false, false},
		"downlink_claim":         {"downlink_claim", "0004a30b001c8d5e", 0, 0, true, false},
		"join_request":           {"join_request", "0004a30b001c8d5e", 1765432001.004211, 0, false, true},
		"join_response":          {"join_response", "0004a30b001c8d5e", 0, 0, false, false},
		"status_request":         {"status_request", "0004a30b001c8d5e", 0, 0, true, false},
		"status_response":        {"status_response", "0004a30b001c8d5e", 1765432461.33, 0, false, true},
		"status_up":              {"status", "0004a30b001c8d5e", 1765432461.33, 0, false, true},
		"status_down":            {"status", "0004a30b001c8d5e", 0, 0, true, false},
		"location":               {"location", "0004a30b001c8d5e", 1765432165, 0, false, true},
		"error":                  {"error", "", 1765432500.1, 0, false, true},
		"error_device":           {"error", "0004a30b001c8d5e", 1765432107.5, 0, false, true},
		"warning":                {"warning", "0004a30b001c8d5e", 1765432101.2522, 0, false, true},
		"info":                   {"info", "0004a30b001c8d5e", 1765432101.2521, 0, false, true},
		"unknown_type":           {"multicast_report", "", 1765432600.25, 0, false, false},
	}
	for name, raw := range fixtures(t) {
		want, ok := tests[name]
		if !ok {
			t.Errorf("%s: a fixture without expectations", name)
			continue
		}
		env, err := dataapi.Scan(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if env.Type != want.kind || string(env.Meta.Device) != want.device || env.Meta.Time != want.time ||
			env.TxTime != want.txTime || env.Bare != want.bare || env.FromNS() != want.fromNS {
			t.Errorf("%s: got %+v, want %+v", name, env, want)
		}
	}
}

func TestScanMeta(t *testing.T) {
	tests := []struct {
		meta string
		want dataapi.Meta
	}{
		{`{}`, dataapi.Meta{}},
		{
			`{"network":"n","application":"a","device":"d","device_addr":"da","gateway":"g",` +
				`"packet_hash":"h","packet_id":"i","time":1.5,"history":true,"tags":["t"]}`,
			dataapi.Meta{
				Network: []byte("n"), Application: []byte("a"), Device: []byte("d"), DeviceAddr: []byte("da"),
				Gateway: []byte("g"), PacketHash: []byte("h"), PacketID: []byte("i"), Time: 1.5, History: true,
			},
		},
		{`{"device":null,"gateway":"","network":{"device":"x"},"application":["x"]}`, dataapi.Meta{}},
		{`{"device":17,"gateway":-0.50,"network":true,"application":false}`, dataapi.Meta{
			Device: []byte("17"), Gateway: []byte("-0.50"), Network: []byte("true"), Application: []byte("false"),
		}},
		{`{"device":"a\/b\u00e9\ud83d\ude80\ud800","d\u0065vice_addr":"x"}`, dataapi.Meta{
			Device: []byte("a/bé🚀\uFFFD"), DeviceAddr: []byte("x"),
		}},
		{`{"device":"first","device":"last"}`, dataapi.Meta{Device: []byte("last")}},
		{`{"device":"first","device":null}`, dataapi.Meta{}},
		{`{"Device":"x","device ":"y"}`, dataapi.Meta{}},
		{`{"time":"1.5","history":"true"}`, dataapi.Meta{}},
		{`{"time":1e999,"history":1}`, dataapi.Meta{}},
		{`{"history":true,"history":false}`, dataapi.Meta{}},
	}
	for _, test := range tests {
		for _, layout := range []string{
			`{"type":"info","meta":%}`,
			" {\t\"meta\" :\r\n%\n, \"type\":\"info\"} ",
			`{"meta":{"device":"lost","history":true},"meta":%,"type":"info"}`,
		} {
			raw := strings.ReplaceAll(layout, "%", test.meta)
			env, err := dataapi.Scan([]byte(raw))
			if err != nil {
				t.Errorf("Scan(%s): %v", raw, err)
			} else if !reflect.DeepEqual(env.Meta, test.want) {
				t.Errorf("Scan(%s).Meta = %+v, want %+v", raw, env.Meta, test.want)
			}
		}
	}
}

func TestScanType(t *testing.T) {
	longest := strings.Repeat("t", dataapi.MaxTypeBytes)
	tests := []struct {
		raw  string
		want dataapi.Type
	}{
		{`{"type":"uplink"}`, dataapi.Uplink},
		{`{"typ\u0065":"upl\u0069nk"}`, dataapi.Uplink},
		{`{"type":"uplink","type":"info"}`, dataapi.Info},
		{`{"type":1,"type":"info"}`, dataapi.Info},
		{`{"params":{"type":"uplink"},"type":"info","meta":{"type":"error"}}`, dataapi.Info},
		{`{"type":"a/b"}`, "a/b"},
		{`{"type":"` + longest + `"}`, dataapi.Type(longest)},
	}
	for _, test := range tests {
		env, err := dataapi.Scan([]byte(test.raw))
		if err != nil || env.Type != test.want {
			t.Errorf("Scan(%s).Type = %q, %v, want %q", test.raw, env.Type, err, test.want)
		}
	}
}

func TestScanRefuses(t *testing.T) {
	nested := func(depth int) string {
		return `{"type":"info","params":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
	}
	if _, err := dataapi.Scan([]byte(nested(dataapi.MaxDepth))); err != nil {
		t.Errorf("Scan of the deepest message: %v", err)
	}
	brackets := strings.Repeat("[{", dataapi.MaxDepth)
	if _, err := dataapi.Scan([]byte(`{"type":"info","params":"\"` + brackets + `\\"}`)); err != nil {
		t.Errorf("Scan of brackets in a string: %v", err)
	}
	tests := []struct {
		raw    string
		want   error
		reason string
	}{
		{``, dataapi.ErrNotJSON, "byte 0"},
		{` `, dataapi.ErrNotJSON, "unexpected end"},
		{`hello`, dataapi.ErrNotJSON, "byte 1"},
		{`{"type":"info"`, dataapi.ErrNotJSON, "unexpected end"},
		{`{"type":"info"} {}`, dataapi.ErrNotJSON, "byte 17"},
		{`{"type":"info",}`, dataapi.ErrNotJSON, "byte 16"},
		{`{"type":"info","a":01}`, dataapi.ErrNotJSON, "byte 21"},
		{`{"type":"info","a":NaN}`, dataapi.ErrNotJSON, "byte 20"},
		{`{'type':'info'}`, dataapi.ErrNotJSON, "byte 2"},
		{"{\"type\":\"in\nfo\"}", dataapi.ErrNotJSON, "byte 12"},
		{`{"type":"in\xfo"}`, dataapi.ErrNotJSON, "byte 13"},
		{"\uFEFF{\"type\":\"info\"}", dataapi.ErrNotJSON, "byte 1"},
		{"{\"type\":\"info\",\"a\":\"\xC3\x28\"}", dataapi.ErrNotJSON, "UTF-8 at byte 20"},
		{"{\"type\":\"info\",\"a\":\"\xED\xA0\x80\"}", dataapi.ErrNotJSON, "UTF-8 at byte 20"},
		{nested(dataapi.MaxDepth + 1), dataapi.ErrNotJSON, "deeper than 128 levels"},
		{strings.Repeat(`{"a":`, 2_000_000), dataapi.ErrNotJSON, "deeper than 128 levels"},
		{strings.Repeat(`[`, 10_000_000), dataapi.ErrNotJSON, "deeper than 128 levels"},
		{`[{"type":"info"}]`, dataapi.ErrNotObject, `'['`},
		{` null`, dataapi.ErrNotObject, `'n'`},
		{`"type"`, dataapi.ErrNotObject, `'"'`},
		{`5`, dataapi.ErrNotObject, `'5'`},
		{`{}`, dataapi.ErrNoType, "absent"},
		{`{"Type":"info"}`, dataapi.ErrNoType, "absent"},
		{`{"type":""}`, dataapi.ErrNoType, "empty string at byte 8"},
		{`{"type":null}`, dataapi.ErrNoType, "not a string at byte 8"},
		{`{"type":"info", "type":5}`, dataapi.ErrNoType, "not a string at byte 23"},
		{`{"type":"` + strings.Repeat("t", dataapi.MaxTypeBytes+1) + `"}`, dataapi.ErrNoType, "257 bytes at byte 8"},
		{`{"type":"info","meta":null}`, dataapi.ErrBadMeta, "byte 22"},
		{`{"type":"info","meta":"device"}`, dataapi.ErrBadMeta, "byte 22"},
		{`{"type":"info","meta":[]}`, dataapi.ErrBadMeta, "byte 22"},
		{`{"type":"info","meta":{},"meta":1}`, dataapi.ErrBadMeta, "byte 32"},
	}
	for _, test := range tests {
		env, err := dataapi.Scan([]byte(test.raw))
		switch {
		case !errors.Is(err, test.want):
			t.Errorf("Scan(%.60s): got error %v, want %v", test.raw, err, test.want)
		case !strings.Contains(err.Error(), test.reason):
			t.Errorf("Scan(%.60s): %q does not say %q", test.raw, err, test.reason)
		case len(err.Error()) > 120:
			t.Errorf("Scan(%.60s): the error has %d bytes", test.raw, len(err.Error()))
		case !reflect.DeepEqual(env, dataapi.Envelope{}):
			t.Errorf("Scan(%.60s): an envelope with the error: %+v", test.raw, env)
		}
	}
}

// What Scan returns may alias the message, but never more of it than the field, and never in the type.
func TestScanAliasing(t *testing.T) {
	for _, kind := range []dataapi.Type{"uplink", "my_report"} {
		raw := []byte(`{"type":"` + kind + `","meta":{"device":"0123","gateway":17}}`)
		env, err := dataapi.Scan(raw)
		if err != nil {
			t.Fatal(err)
		}
		if cap(env.Meta.Device) != len(env.Meta.Device) || cap(env.Meta.Gateway) != len(env.Meta.Gateway) {
			t.Error("appending to a field would write into the message")
		}
		clear(raw)
		if env.Type != kind {
			t.Errorf("the type changed with the message: %q", env.Type)
		}
		if string(env.Meta.Device) != "\x00\x00\x00\x00" {
			t.Errorf("the device is a copy: %q", env.Meta.Device)
		}
	}
}

func TestScanAllocates(t *testing.T) {
	for name, raw := range fixtures(t) {
		want := 0.0
		if name == "unknown_type" {
			want = 1 // its name
		}
		if got := testing.AllocsPerRun(100, func() { _, _ = dataapi.Scan(raw) }); got != want {
			t.Errorf("Scan of %s allocates %v times, want %v", name, got, want)
		}
	}
}
