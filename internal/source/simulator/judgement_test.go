package simulator

import (
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func TestUnsolicitedResponsesAreWarnedOf(t *testing.T) {
	for name, change := range map[string]func(meta doc){
		"another packet": func(m doc) { m["packet_id"] = strings.Repeat("0", 32) },
		"another device": func(m doc) { m["device"] = strings.Repeat("0", 16) },
		"no such device": func(m doc) { clear(m); m["device"] = "x" },
	} {
		onRequest(t, Config{}, "", func(t *testing.T, ns *NS, c *client, request Message) {
			answer := response(t, request.Raw, doc{"payload": "AQ=="})
			meta := maps.Clone(answer["meta"].(doc))
			change(meta)
			answer["meta"] = meta
			c.send(t, answer)
			if r := judged(t, ns); r.Outcome != Unsolicited || r.Reason == "" {
				t.Errorf("%s: judged %+v", name, r)
			}
			if e := onlyFrame(t, c); e.Type != "warning" {
				t.Errorf("%s: answered by %+v", name, e)
			}
			time.Sleep(20 * time.Second)
			nothing(t, c)
		})
	}
}

func TestASecondResponseIsUnsolicited(t *testing.T) {
	onRequest(t, Config{}, "types=downlink,uplink,downlink_request", func(t *testing.T, ns *NS, c *client, request Message) {
		c.send(t, response(t, request.Raw, doc{"payload": "AQ=="}))
		c.send(t, response(t, request.Raw, doc{"payload": "Ag=="}))
		if e := onlyFrame(t, c); e.Type != "warning" {
			t.Errorf("answered by %+v", e)
		}
		time.Sleep(6 * time.Second)
		if e := onlyFrame(t, c); e.Params["payload"] != "AQ==" {
			t.Errorf("transmitted %v", e.Params["payload"])
		}
		if s := ns.Stats(); s.Accepted != 1 || s.Unsolicited != 1 {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestTheDeviceAloneFindsItsLatestRequest(t *testing.T) {
	onRequest(t, Config{}, "", func(t *testing.T, ns *NS, c *client, request Message) {
		c.send(t, doc{
			"type": "downlink_response", "meta": doc{"device": strings.ToUpper(request.Device)}, "params": doc{"payload": "AQ=="},
		})
		if r := judged(t, ns); r.Outcome != Accepted || r.PacketID != request.PacketID {
			t.Errorf("judged %+v", r)
		}
	})
}

func TestPayloadsThatNoDeviceCanGet(t *testing.T) {
	for payload, why := range map[string]string{
		"§§§§":                      "base64",
		"A":                         "base64",
		strings.Repeat("AAAA", 100): "too long",
	} {
		onRequest(t, Config{}, "", func(t *testing.T, ns *NS, c *client, request Message) {
			c.send(t, response(t, request.Raw, doc{"payload": payload}))
			if r := judged(t, ns); r.Outcome != Bad || !strings.Contains(r.Reason, why) {
				t.Errorf("judged %+v", r)
			}
			if e := onlyFrame(t, c); e.Type != "warning" || e.Meta["packet_id"] != request.PacketID {
				t.Errorf("answered by %+v", e)
			}
		})
	}
}

func TestARequestReplayedFromHistoryIsTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{})
		emit(t, ns, Order{Type: dataapi.DownlinkRequest})
		time.Sleep(time.Minute)
		c := dial(t, ns, p, "from_unixtime=0")
		synctest.Wait()
		old := c.pending()
		if len(old) != 1 {
			t.Fatalf("history gave %d frames", len(old))
		}
		c.send(t, response(t, old[0], doc{"payload": "AQ=="}))
		if r := judged(t, ns); r.Outcome != Late {
			t.Errorf("judged %+v", r)
		}
	})
}

func TestClosingForgetsDownlinksThatWereNotTransmitted(t *testing.T) {
	onRequest(t, Config{Record: 100}, "", func(t *testing.T, ns *NS, c *client, request Message) {
		c.send(t, response(t, request.Raw, doc{"payload": "AQ=="}))
		judged(t, ns)
		ns.Close()
		time.Sleep(time.Minute)
		if s := ns.Stats(); s.Transmitted != 0 || s.Generated != 2 {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestAsMuchAsIsNeededIsRememberedOfRequests(t *testing.T) {
	ns := newNS(t, Config{})
	first := emit(t, ns, Order{Type: dataapi.DownlinkRequest})
	for range maxRequests {
		emit(t, ns, Order{Type: dataapi.DownlinkRequest})
	}
	if n := len(ns.desk.requests); n != maxRequests || len(ns.desk.order) != n || ns.desk.requests[first.PacketID] != nil {
		t.Errorf("%d requests are remembered", n)
	}
}
