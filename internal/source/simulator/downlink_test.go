package simulator

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

type doc = map[string]any

// response answers a request as an AS does: meta echoed.
func response(t testing.TB, request []byte, params doc) doc {
	t.Helper()
	return doc{"type": "downlink_response", "meta": read(t, request).Meta, "params": params}
}

// onlyFrame is the one frame that has arrived.
func onlyFrame(t *testing.T, c *client) envelope {
	t.Helper()
	synctest.Wait()
	got := c.pending()
	if len(got) != 1 {
		t.Fatalf("%d frames came, want one: %s", len(got), got)
	}
	return read(t, got[0])
}

func nothing(t *testing.T, c *client) {
	t.Helper()
	synctest.Wait()
	if got := c.pending(); len(got) != 0 {
		t.Fatalf("%d frames came, want none: %s", len(got), got)
	}
}

// judged is the only message received so far.
func judged(t *testing.T, ns *NS) Received {
	t.Helper()
	synctest.Wait()
	all := ns.Received()
	if len(all) != 1 {
		t.Fatalf("%d messages were received, want one", len(all))
	}
	return all[0]
}

// onRequest runs a test from the moment at which a client has an uplink's downlink_request.
func onRequest(t *testing.T, cfg Config, query string, test func(t *testing.T, ns *NS, c *client, request Message)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.Seed = orElse(cfg.Seed, 1)
		ns, p := startPiped(t, cfg)
		c := dial(t, ns, p, query)
		up := emit(t, ns, Order{})
		request := emit(t, ns, Order{Type: dataapi.DownlinkRequest, Device: up.Device})
		synctest.Wait()
		if got := c.pending(); len(got) != 2 || request.PacketID != up.PacketID || request.Device != up.Device {
			t.Fatalf("no request to the uplink: %s", got)
		}
		test(t, ns, c, request)
	})
}

func TestTxTimeIsFiveSecondsAfterMetaTime(t *testing.T) {
	for _, delay := range []time.Duration{0, time.Second, 1500 * time.Millisecond} {
		m := emit(t, newNS(t, Config{TxDelay: delay}), Order{Type: dataapi.DownlinkRequest})
		e := read(t, m.Raw)
		got := e.Params["tx_time"].(float64) - e.Meta["time"].(float64)
		if want := orElse(delay, 5*time.Second).Seconds(); got < want-1e-5 || got > want+1e-5 {
			t.Errorf("tx_time is %v s after meta.time, want %v", got, want)
		}
	}
}

func TestAResponseInTimeIsTransmittedAtTxTime(t *testing.T) {
	for name, params := range map[string]doc{
		"plain":     {"payload": "AQID", "port": 7},
		"encrypted": {"encrypted_payload": "AQID", "confirmed": true, "counter_down": 12, "pending": false},
		"unpadded":  {"payload": "220de733f4"},
		"nulls":     {"payload": "AQID", "encrypted_payload": nil, "port": nil, "queue_if_late": true},
	} {
		t.Run(name, func(t *testing.T) {
			onRequest(t, Config{}, "", func(t *testing.T, ns *NS, c *client, request Message) {
				time.Sleep(2 * time.Second)
				sent := today()
				c.send(t, response(t, request.Raw, params))
				r := judged(t, ns)
				if r.Outcome != Accepted || r.Device != request.Device || r.PacketID != request.PacketID ||
					!r.At.Equal(sent) || r.Latency != sent.Sub(request.At) || r.Latency < 2*time.Second {
					t.Fatalf("judged %+v", r)
				}
				time.Sleep(r.Margin - 1)
				nothing(t, c)
				time.Sleep(time.Nanosecond)
				e := onlyFrame(t, c)
				for _, key := range []string{"packet_id", "packet_hash", "device", "device_addr", "application", "gateway", "network"} {
					if e.Meta[key] != read(t, request.Raw).Meta[key] {
						t.Errorf("meta.%s of the downlink is %v", key, e.Meta[key])
					}
				}
				for _, key := range []string{"payload", "encrypted_payload"} {
					if params[key] != nil && e.Params[key] != params[key] {
						t.Errorf("params.%s is %v, want %v", key, e.Params[key], params[key])
					}
				}
				if want := orElse(params["port"], any(1)); fmt.Sprint(e.Params["port"]) != fmt.Sprint(want) || e.Type != "downlink" {
					t.Errorf("a %s to port %v, want a downlink to %v", e.Type, e.Params["port"], want)
				}
				if e.Params["counter_down"] != read(t, request.Raw).Params["counter_down"] {
					t.Errorf("counter_down is %v", e.Params["counter_down"])
				}
				if s := ns.Stats(); s.Accepted != 1 || s.Transmitted != 1 || s.Received != 1 {
					t.Errorf("stats: %+v", s)
				}
			})
		})
	}
}

func TestTheNextDownlinkCountsOn(t *testing.T) {
	onRequest(t, Config{}, "types=downlink,downlink_request,uplink", func(t *testing.T, ns *NS, c *client, request Message) {
		first := read(t, request.Raw).Params["counter_down"].(float64)
		for i := range 3 {
			c.send(t, response(t, request.Raw, doc{"payload": "AQ=="}))
			time.Sleep(5 * time.Second)
			if e := onlyFrame(t, c); e.Params["counter_down"] != first+float64(i) {
				t.Fatalf("downlink %d has counter_down %v", i, e.Params["counter_down"])
			}
			request = emit(t, ns, Order{Type: dataapi.DownlinkRequest, Device: request.Device})
			onlyFrame(t, c)
		}
	})
}

func TestALateResponseIsAnsweredByAWarning(t *testing.T) {
	onRequest(t, Config{}, "", func(t *testing.T, ns *NS, c *client, request Message) {
		time.Sleep(time.UnixMicro(request.facts.tx).Sub(today())) // tx_time itself is too late
		c.send(t, response(t, request.Raw, doc{"payload": "AQ=="}))
		if r := judged(t, ns); r.Outcome != Late || r.Margin != 0 {
			t.Fatalf("judged %+v", r)
		}
		e := onlyFrame(t, c) // though the stream has not asked for warnings
		if e.Type != "warning" || e.Meta["packet_id"] != request.PacketID || e.Meta["device"] != request.Device {
			t.Errorf("got %+v", e)
		}
		time.Sleep(20 * time.Second)
		nothing(t, c)
	})
}

func TestQueueIfLateWaitsForTheNextRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{Seed: 2})
		c := dial(t, ns, p, "types=downlink")
		first := emit(t, ns, Order{Type: dataapi.DownlinkRequest})
		time.Sleep(6 * time.Second)
		c.send(t, response(t, first.Raw, doc{"payload": "AQ==", "queue_if_late": true, "port": 9}))
		if r := judged(t, ns); r.Outcome != Queued || r.Margin >= 0 {
			t.Fatalf("judged %+v", r)
		}
		if e := onlyFrame(t, c); e.Type != "info" {
			t.Errorf("the sender is told by %+v", e)
		}
		time.Sleep(time.Minute)
		nothing(t, c)
		second := emit(t, ns, Order{Type: dataapi.DownlinkRequest, Device: first.Device})
		time.Sleep(6 * time.Second)
		e := onlyFrame(t, c)
		if e.Type != "downlink" || e.Meta["packet_id"] != second.PacketID || e.Params["payload"] != "AQ==" || e.Params["port"] != 9.0 {
			t.Errorf("got %+v", e)
		}
		emit(t, ns, Order{Type: dataapi.DownlinkRequest, Device: first.Device})
		time.Sleep(6 * time.Second)
		nothing(t, c) // it was queued once
	})
}

func TestAResponseInTimeGoesBeforeAQueuedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{Seed: 2})
		c := dial(t, ns, p, "types=downlink")
		var request Message
		ask := func() { request = emit(t, ns, Order{Type: dataapi.DownlinkRequest, Device: request.Device}) }
		ask()
		time.Sleep(6 * time.Second)
		c.send(t, response(t, request.Raw, doc{"payload": "b2xk", "queue_if_late": true}))
		onlyFrame(t, c)
		for _, want := range []string{"bmV3", "b2xk"} {
			ask()
			if want == "bmV3" {
				c.send(t, response(t, request.Raw, doc{"payload": want}))
			}
			time.Sleep(6 * time.Second)
			if e := onlyFrame(t, c); e.Params["payload"] != want {
				t.Errorf("transmitted %v, want %s", e.Params["payload"], want)
			}
		}
	})
}
