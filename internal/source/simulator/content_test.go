package simulator

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// sample is a day of ordinary traffic without a server: n messages, a step of the clock apart.
func sample(t testing.TB, cfg Config, n int) (*NS, []*message) {
	t.Helper()
	clock := newFakeClock()
	cfg.Now = clock.Now
	ns := newNS(t, cfg)
	out := make([]*message, n)
	for i := range out {
		clock.advance(37_113_000) // 37.113 ms
		out[i] = ns.gen.next(clock.Now())
	}
	return ns, out
}

func byType(messages []*message) map[dataapi.Type][]*message {
	out := make(map[dataapi.Type][]*message)
	for _, m := range messages {
		out[m.kind] = append(out[m.kind], m)
	}
	return out
}

func TestEveryTypeHasWhatItHasAndLacksWhatItLacks(t *testing.T) {
	ns, messages := sample(t, Config{Seed: 1}, 5000)
	full := []string{"application", "device", "device_addr", "gateway", "network", "packet_hash", "packet_id", "time"}
	but := func(lacking ...string) []string {
		return slices.DeleteFunc(slices.Clone(full), func(k string) bool { return slices.Contains(lacking, k) })
	}
	want := map[dataapi.Type]struct{ meta, params, sometimes []string }{
		dataapi.Uplink:          {full, []string{"rx_time", "port", "counter_up", "encrypted_payload", "duplicate"}, []string{"payload"}},
		dataapi.DownlinkRequest: {full, []string{"tx_time", "counter_down", "max_size"}, nil},
		dataapi.Downlink:        {full, []string{"counter_down", "port", "encrypted_payload"}, []string{"payload"}},
		dataapi.JoinRequest:     {but("device_addr"), []string{"dev_eui", "dev_addr", "dev_nonce", "net_id"}, []string{"cf_list"}},
		dataapi.StatusResponse:  {full, []string{"battery", "snr", "rx_time"}, nil},
		dataapi.Status:          {full, []string{"battery", "snr", "rx_time"}, nil},
		dataapi.Location:        {but("packet_id", "gateway", "network", "packet_hash"), []string{"solutions"}, nil},
		dataapi.Info:            {full, []string{"message"}, []string{"code"}},
		dataapi.Warning:         {full, []string{"message"}, []string{"code"}},
		dataapi.Error:           {[]string{"time"}, []string{"message"}, []string{"code"}},
	}
	groups := byType(messages)
	for kind, w := range want {
		if len(groups[kind]) == 0 {
			t.Errorf("no %s in 5000 messages", kind)
		}
		for _, m := range groups[kind] {
			e := read(t, ns.gen.render(nil, m, view{}))
			if e.Type != string(kind) {
				t.Fatalf("a %s says it is a %s", kind, e.Type)
			}
			checkKeys(t, kind, "meta", e.Meta, w.meta, append([]string{"tags"}, full...))
			if kind != dataapi.Error {
				checkKeys(t, kind, "meta", e.Meta, w.meta, append([]string{"tags"}, w.meta...))
			}
			checkKeys(t, kind, "params", e.Params, w.params, append(w.sometimes, w.params...))
		}
	}
	bare := func(m *message) bool { return len(read(t, ns.gen.render(nil, m, view{})).Meta) == 1 }
	if e := groups[dataapi.Error]; !slices.ContainsFunc(e, bare) || !slices.ContainsFunc(e, func(m *message) bool { return !bare(m) }) {
		t.Error("errors are all bare, or none is")
	}
}

func checkKeys(t *testing.T, kind dataapi.Type, where string, object map[string]any, required, allowed []string) {
	t.Helper()
	for _, k := range required {
		if _, ok := object[k]; !ok {
			t.Fatalf("%s lacks %s.%s: %v", kind, where, k, object)
		}
	}
	for k := range object {
		if !slices.Contains(allowed, k) {
			t.Fatalf("%s has %s.%s: %v", kind, where, k, object)
		}
	}
}

func TestIdentifiersAndNumbersLookAsTheyDoOnTheWire(t *testing.T) {
	ns, messages := sample(t, Config{Seed: 2}, 5000)
	patterns := map[string]*regexp.Regexp{
		"device": regexp.MustCompile(`^[0-9a-f]{16}$`), "application": regexp.MustCompile(`^[0-9a-f]{16}$`),
		"gateway": regexp.MustCompile(`^[0-9a-f]{16}$`), "device_addr": regexp.MustCompile(`^[0-9a-f]{8}$`),
		"packet_id": regexp.MustCompile(`^[0-9a-f]{32}$`), "packet_hash": regexp.MustCompile(`^[0-9a-f]{32}$`),
		"network": regexp.MustCompile(`^[0-9a-f]{8}$`),
	}
	rxTime := regexp.MustCompile(`"rx_time"\s*:\s*([0-9]+\.[0-9]+)`)
	digits := make(map[int]int)
	for _, m := range messages {
		frame := ns.gen.render(nil, m, view{})
		e := read(t, frame)
		for key, p := range patterns {
			if v, ok := e.Meta[key]; ok && !p.MatchString(v.(string)) {
				t.Fatalf("meta.%s is %q", key, v)
			}
		}
		if v := rxTime.FindSubmatch(frame); v != nil {
			digits[len(v[1])-1]++
			if lag := e.Meta["time"].(float64) - e.Params["rx_time"].(float64); lag < 0.02 || lag > 0.2 {
				t.Fatalf("rx_time lies %v s before meta.time", lag)
			}
		}
		if p, ok := e.Params["payload"].(string); ok {
			plain, err := base64.StdEncoding.DecodeString(p)
			secret, err2 := base64.StdEncoding.DecodeString(e.Params["encrypted_payload"].(string))
			if err != nil || err2 != nil || len(plain) != len(secret) || bytes.Equal(plain, secret) {
				t.Fatalf("payload %v does not fit encrypted_payload %v", plain, secret)
			}
		}
	}
	if len(digits) != 2 || digits[16] == 0 || digits[17] == 0 {
		t.Errorf("rx_time has so many significant digits so often: %v; want 16 and 17", digits)
	}
}

func TestMostMessagesAreFourToNineHundredBytes(t *testing.T) {
	ns, messages := sample(t, Config{Seed: 3}, 2000)
	within := 0
	for _, m := range messages {
		if n := len(ns.gen.render(nil, m, view{})); n >= 400 && n <= 900 {
			within++
		}
	}
	if within < 1500 {
		t.Errorf("%d of 2000 messages have 400 to 900 bytes", within)
	}
}

func TestNumbersAreWrittenAsIntsAndAsFloats(t *testing.T) {
	ns, messages := sample(t, Config{Seed: 4}, 1000)
	frames := make([]byte, 0, 1<<20)
	for _, m := range messages {
		frames = ns.gen.render(frames, m, view{radio: true})
	}
	for _, pattern := range []string{
		`"snr"\s*:\s*-?[0-9]+[\s,}]`, `"snr"\s*:\s*-?[0-9]+\.[0-9]`,
		`"rssi"\s*:\s*-[0-9]+[\s,}]`, `"rssi"\s*:\s*-[0-9]+\.0`,
		`"type"\s*:\s*0[\s,}]`, `"type"\s*:\s*"LORA"`,
		`"lat"\s*:\s*-?[0-9]+\.[0-9]{5,}`, `"precision"\s*:\s*[0-9]+[\s,}]`, `"precision"\s*:\s*[0-9]+\.0`,
	} {
		if !regexp.MustCompile(pattern).Match(frames) {
			t.Errorf("never seen: %s", pattern)
		}
	}
}

func TestKeyOrderAndSpacingVary(t *testing.T) {
	ns, messages := sample(t, Config{Seed: 5}, 1000)
	first, spacing := make(map[string]int), make(map[string]int)
	for _, m := range messages {
		frame := string(ns.gen.render(nil, m, view{}))
		first[strings.Trim(frame[:8], "{ \n")[:4]]++
		switch {
		case strings.Contains(frame, "\n"):
			spacing["lines"]++
		case strings.HasPrefix(frame, "{ "):
			spacing["wide"]++
		case strings.Contains(frame, `": `):
			spacing["spaced"]++
		default:
			spacing["compact"]++
		}
		if !json.Valid([]byte(frame)) {
			t.Fatalf("no JSON: %s", frame)
		}
	}
	if len(first) != 3 || len(spacing) != 4 {
		t.Errorf("first keys: %v; spacings: %v", first, spacing)
	}
}

func TestRadioAndLoraComeOnlyWhenAskedFor(t *testing.T) {
	ns, messages := sample(t, Config{Seed: 6}, 500)
	for _, m := range messages {
		for _, v := range []view{{}, {radio: true}, {lora: true}, {radio: true, lora: true}} {
			e := read(t, ns.gen.render(nil, m, v))
			radio, hasRadio := e.Params["radio"].(map[string]any)
			lora, hasLora := e.Params["lora"].(map[string]any)
			if hasRadio != (v.radio && m.kept()) || hasLora != (v.lora && m.kept()) {
				t.Fatalf("a %s seen with %+v: radio %v, lora %v", m.kind, v, hasRadio, hasLora)
			}
			if hasRadio {
				keys := []string{"freq", "time", "datarate", "size", "gps_time", "delay", "modulation", "hardware"}
				checkKeys(t, m.kind, "radio", radio, keys, keys)
				keys = []string{"type", "bandwidth", "spreading", "coderate", "inverted"}
				checkKeys(t, m.kind, "modulation", radio["modulation"].(map[string]any), keys, keys)
				keys = []string{"status", "chain", "tmst", "snr", "rssi", "channel", "gps"}
				checkKeys(t, m.kind, "hardware", radio["hardware"].(map[string]any), keys, append(keys, "power"))
			}
			if hasLora {
				keys := []string{"header", "mac_commands"}
				checkKeys(t, m.kind, "lora", lora, keys, keys)
			}
		}
	}
}
