package simulator

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func TestBadMessagesAreEchoed(t *testing.T) {
	device := newNS(t, Config{Seed: 1}).Devices()[0]
	for _, bad := range []string{
		"", "no json", "{", `{"type":"downlink_claim"}x`, `[1,2]`, `"text"`, "null", "1", "\x00\x01\xff",
		`{}`, `{"type":5,"meta":{}}`, `{"type":"nonsense","meta":{}}`, `{"Type":"status_request","meta":{"device":"d"}}`,
		`{"type":"uplink","meta":{"device":"d"},"params":{}}`, `{"type":"error","meta":{"time":1},"params":{"message":"m"}}`,
		`{"type":"status","meta":{"device":"d"},"params":{"battery":1}}`, `{"type":"status","meta":{}}`,
		`{"type":"status_response","meta":{"device":"d"},"params":{"battery":1}}`,
		`{"type":"downlink_claim"}`, `{"type":"downlink_claim","meta":{"device":5}}`, `{"type":"downlink_claim","meta":"d"}`,
		`{"type":"downlink_claim","meta":{"device":"d","gateway":[]}}`,
		`{"type":"join_response","meta":{"device":"d"},"params":{"nwkskey":"k"}}`,
		`{"type":"downlink_response","meta":{"device":"d"}}`,
		`{"type":"downlink_response","meta":{},"params":{"payload":"AQ=="}}`,
		`{"type":"downlink_response","meta":{"device":"d"},"params":{}}`,
		`{"type":"downlink_response","meta":{"device":"d"},"params":{"payload":"AQ==","encrypted_payload":"AQ=="}}`,
		`{"type":"downlink_response","meta":{"device":"d"},"params":{"payload":1}}`,
		`{"type":"downlink_response","meta":{"device":"d"},"params":{"payload":"AQ==","port":0}}`,
		`{"type":"downlink_response","meta":{"device":"d"},"params":{"payload":"AQ==","port":256}}`,
		`{"type":"downlink_response","meta":{"device":"d"},"params":{"payload":"AQ==","port":"1"}}`,
		`{"type":"downlink_response","meta":{"device":"d"},"params":{"payload":"AQ==","confirmed":1}}`,
		`{"type":"downlink_response","meta":{"device":"d"},"params":{"payload":"AQ==","counter_down":-1}}`,
		`{"type":"downlink_response","meta":{"device":"d"},"params":"AQ=="}`,
		"{\"type\":\"x\\\\\",\n\t\"quote\": \"\\\"\u2028\"}",
	} {
		synctest.Test(t, func(t *testing.T) {
			ns, p := startPiped(t, Config{Seed: 1, Record: 10})
			c, other := dial(t, ns, p, "types=uplink"), dial(t, ns, p, "types=error")
			c.send(t, strings.ReplaceAll(bad, `"d"`, `"`+device+`"`))
			if r := judged(t, ns); r.Outcome != Bad || r.Reason == "" || string(r.Raw) != strings.ReplaceAll(bad, `"d"`, `"`+device+`"`) {
				t.Fatalf("%q is judged %+v", bad, r)
			}
			e := onlyFrame(t, c)
			want := "Bad message format. Received data: " + strings.ToValidUTF8(strings.ReplaceAll(bad, `"d"`, `"`+device+`"`), "\uFFFD")
			if e.Type != "error" || e.Params["message"] != want || len(e.Params) != 1 || len(e.Meta) != 1 || e.Meta["time"] == nil {
				t.Errorf("%q is answered by %+v", bad, e)
			}
			nothing(t, other)
			if m := ns.Messages(); len(m) != 1 || m[0].Private != 1 {
				t.Errorf("the ledger has %+v", m)
			}
		})
	}
}

// What a connector without a loop guard does: each echo is longer than what it echoes, by its escapes.
func TestAnEchoFedBackGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{})
		c := dial(t, ns, p, "")
		frame := []byte(`{"type":"uplink","meta":{"device":"a"}}`)
		for range 8 {
			c.send(t, string(frame))
			synctest.Wait()
			echo := c.pending()[0]
			if len(echo) <= len(frame) {
				t.Fatalf("an echo of %d bytes to %d bytes", len(echo), len(frame))
			}
			frame = echo
		}
		if len(frame) < 2000 {
			t.Errorf("eight times around make %d bytes", len(frame))
		}
	})
}

func TestClaimIsAnsweredByARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{Seed: 3})
		c := dial(t, ns, p, "types=uplink,downlink")
		device, gateway := ns.Devices()[2], ns.gen.gateways[3]
		c.send(t, doc{"type": "downlink_claim", "meta": doc{"device": device, "gateway": gateway, "network": "x"}})
		synctest.Wait()
		got := c.pending()
		if len(got) != 1 {
			t.Fatalf("answered by %s", got)
		}
		e := read(t, got[0])
		if e.Type != "downlink_request" || e.Meta["device"] != device || e.Meta["gateway"] != gateway || judged(t, ns).Outcome != Accepted {
			t.Fatalf("answered by %+v", e)
		}
		c.send(t, response(t, got[0], doc{"encrypted_payload": "AQ=="}))
		time.Sleep(6 * time.Second)
		if d := onlyFrame(t, c); d.Type != "downlink" || d.Meta["packet_id"] != e.Meta["packet_id"] {
			t.Errorf("then %+v", d)
		}
	})
}

func TestStatusRequestIsAnsweredInBothSpellings(t *testing.T) {
	for _, kind := range []dataapi.Type{dataapi.StatusRequest, dataapi.Status} {
		for _, want := range []dataapi.Type{dataapi.StatusResponse, dataapi.Status} {
			synctest.Test(t, func(t *testing.T) {
				ns, p := startPiped(t, Config{StatusType: want})
				c := dial(t, ns, p, "")
				c.send(t, doc{"type": kind, "meta": doc{"device": ns.Devices()[1]}, "params": doc{}})
				e := onlyFrame(t, c)
				if e.Type != string(want) || e.Meta["device"] != ns.Devices()[1] || e.Params["battery"] == nil {
					t.Errorf("%s is answered by %+v", kind, e)
				}
			})
		}
	}
	seen := make(map[dataapi.Type]bool)
	ns := newNS(t, Config{})
	for range 100 {
		seen[ns.gen.make(ns.gen.reactions, dataapi.StatusResponse, ns.gen.devices[0], time.Now()).kind] = true
	}
	if len(seen) != 2 {
		t.Errorf("by seed a status request is answered by %v", seen)
	}
}

func TestCommandsForUnknownDevicesAndGateways(t *testing.T) {
	device := newNS(t, Config{Seed: 1}).Devices()[0]
	for _, message := range []string{
		`{"type":"downlink_claim","meta":{"device":"0000000000000000"}}`,
		`{"type":"downlink_claim","meta":{"device":"` + device + `","gateway":"0000000000000000"}}`,
		`{"type":"status_request","meta":{"device":"0000000000000000"}}`,
		`{"type":"join_response","meta":{"device":"` + device + `"},"params":{"nwkskey":"k","accept_payload":"p"}}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			ns, p := startPiped(t, Config{Seed: 1})
			c := dial(t, ns, p, "")
			c.send(t, message)
			if r := judged(t, ns); r.Outcome != Unsolicited || r.Reason == "" {
				t.Errorf("%s is judged %+v", message, r)
			}
			if e := onlyFrame(t, c); e.Type != "warning" {
				t.Errorf("%s is answered by %+v", message, e)
			}
		})
	}
}

func TestJoinResponseStartsTheSessionAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{Seed: 4})
		c := dial(t, ns, p, "types=uplink")
		device := ns.Devices()[5]
		before := read(t, emit(t, ns, Order{Device: device}).Raw)
		request := read(t, emit(t, ns, Order{Type: dataapi.JoinRequest, Device: device}).Raw)
		synctest.Wait()
		c.pending()
		answer := doc{
			"type": "join_response", "meta": request.Meta,
			"params": doc{"nwkskey": strings.Repeat("0", 32), "accept_payload": "IA=="},
		}
		time.Sleep(time.Second)
		c.send(t, answer)
		if e := onlyFrame(t, c); e.Type != "info" || judged(t, ns).Outcome != Accepted {
			t.Fatalf("answered by %+v", e)
		}
		emit(t, ns, Order{Device: device})
		after := onlyFrame(t, c)
		if after.Meta["device_addr"] != request.Params["dev_addr"] || after.Meta["device_addr"] == before.Meta["device_addr"] {
			t.Errorf("device_addr was %v, offered %v, is %v",
				before.Meta["device_addr"], request.Params["dev_addr"], after.Meta["device_addr"])
		}
		if after.Params["counter_up"] != 0.0 {
			t.Errorf("counter_up begins at %v", after.Params["counter_up"])
		}
		c.send(t, answer) // the request is closed
		if e := onlyFrame(t, c); e.Type != "warning" {
			t.Errorf("a second response is answered by %+v", e)
		}
	})
}

func TestALateJoinResponseChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{Seed: 4})
		c := dial(t, ns, p, "types=uplink")
		device := ns.Devices()[5]
		before := read(t, emit(t, ns, Order{Device: device}).Raw)
		request := read(t, emit(t, ns, Order{Type: dataapi.JoinRequest, Device: device}).Raw)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		c.pending()
		c.send(t, doc{"type": "join_response", "meta": request.Meta, "params": doc{"nwkskey": "k", "accept_payload": "p"}})
		if e := onlyFrame(t, c); e.Type != "warning" || judged(t, ns).Outcome != Late {
			t.Errorf("answered by %+v", e)
		}
		emit(t, ns, Order{Device: device})
		if e := onlyFrame(t, c); e.Meta["device_addr"] != before.Meta["device_addr"] {
			t.Errorf("device_addr is now %v", e.Meta["device_addr"])
		}
	})
}

func TestAMessageTooLongEndsTheStream(t *testing.T) {
	ns := start(t, Config{})
	c := dial(t, ns, nil, "")
	c.send(t, `"`+strings.Repeat("x", maxReceive)+`"`)
	if _, err := c.ending(t); err == nil || !strings.Contains(err.Error(), "1009") {
		t.Errorf("the stream ends with %v", err)
	}
}

func FuzzCommand(f *testing.F) {
	for _, s := range []string{
		`{"type":"downlink_response","meta":{"device":"d","packet_id":"p"},"params":{"payload":"AQ==","port":1}}`,
		`{"type":"downlink_claim","meta":{"device":"d"}}`, `{"type":"status","meta":{"device":"d"}}`, "[]", "null", "\xff",
	} {
		f.Add([]byte(s))
	}
	ns, err := New(Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		ns.receive(&stream{ns: ns, id: 1, query: &query{}}, frame)
		s := ns.Stats()
		if s.Received == 0 || s.Received != s.Accepted+s.Bad+s.Unsolicited+s.Late+s.Queued {
			t.Fatalf("%q was not judged once: %+v", frame, s)
		}
		if _, err := parseCommand(frame); err != nil && err.Error() == "" {
			t.Fatalf("%q is bad for no reason", frame)
		}
		if !json.Valid([]byte(quote(string(frame)))) {
			t.Fatalf("%q is quoted as %s", frame, quote(string(frame)))
		}
	})
}
