package simulator

import (
	"bytes"
	"encoding/base64"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func TestOnePacketsMessagesShareItsID(t *testing.T) {
	ns, messages := sample(t, Config{Seed: 7}, 5000)
	uplinks := make(map[string]*message)
	shared := make(map[dataapi.Type]int)
	for _, m := range messages {
		e := ns.gen.export(m)
		switch {
		case m.kind == dataapi.Uplink:
			if uplinks[e.PacketID] != nil {
				t.Fatal("two uplinks share a packet_id")
			}
			uplinks[e.PacketID] = m
		case follows(m.kind):
			if u := uplinks[e.PacketID]; u == nil || u.device != m.device || u.n > m.n {
				t.Fatalf("%s %d has no uplink of its packet before it", m.kind, m.n)
			}
			shared[m.kind]++
		}
	}
	if len(shared) != 4 {
		t.Errorf("followers seen: %v", shared)
	}
}

func TestEachDeviceCountsItsUplinks(t *testing.T) {
	ns, messages := sample(t, Config{Seed: 8, Devices: 40, StuckCounters: 4}, 4000)
	last, hashes := make(map[*device]*message), make(map[*device]map[string]int)
	for _, m := range byType(messages)[dataapi.Uplink] {
		if before := last[m.device]; before != nil {
			step := m.count - before.count
			if m.device.stuck && step != 0 || !m.device.stuck && step != 1 {
				t.Fatalf("counter_up of a device (stuck: %v) went from %d to %d", m.device.stuck, before.count, m.count)
			}
		}
		last[m.device] = m
		if hashes[m.device] == nil {
			hashes[m.device] = make(map[string]int)
		}
		hashes[m.device][packetHash(m.packet)]++
	}
	stuck := 0
	for _, d := range ns.gen.devices {
		if d.stuck {
			stuck++
			if len(hashes[d]) != 1 || hashes[d][packetHash(d.last)] < 2 {
				t.Errorf("a stuck counter gives these hashes: %v", hashes[d])
			}
		}
	}
	if stuck != 4 {
		t.Errorf("%d devices are stuck, want 4", stuck)
	}
}

func TestTagsComeSometimes(t *testing.T) {
	ns, messages := sample(t, Config{Seed: 9}, 500)
	with := 0
	for _, m := range messages {
		if tags, ok := read(t, ns.gen.render(nil, m, view{})).Meta["tags"].([]any); ok && len(tags) > 0 {
			with++
		}
	}
	if with == 0 || with == len(messages) {
		t.Errorf("%d of %d messages have tags", with, len(messages))
	}
}

func TestMetaTimeRunsApartAcrossTypesButNotWithinOne(t *testing.T) {
	clock := newFakeClock()
	ns := newNS(t, Config{Seed: 10, Now: clock.Now})
	lastOf, last, backwards := make(map[dataapi.Type]float64), 0.0, 0
	for range 100 {
		clock.advance(time.Millisecond)
		for _, kind := range []dataapi.Type{dataapi.Uplink, dataapi.Info, dataapi.DownlinkRequest, dataapi.Location} {
			m := emit(t, ns, Order{Type: kind})
			if m.Time < last {
				backwards++
			}
			if m.Time < lastOf[kind] {
				t.Fatalf("meta.time of %s runs backwards", kind)
			}
			if lag := clock.Now().Sub(time.UnixMicro(int64(m.Time * 1e6))); lag < 0 || lag > 41*time.Millisecond {
				t.Fatalf("meta.time lies %v before the clock", lag)
			}
			last, lastOf[kind] = m.Time, m.Time
		}
	}
	if backwards == 0 {
		t.Error("meta.time is monotonic across types")
	}
}

func TestALongPayloadIsCarried(t *testing.T) {
	ns := newNS(t, Config{})
	payload := bytes.Repeat([]byte("0123456789"), 10_000)
	m := emit(t, ns, Order{Payload: payload, Port: 77})
	e := read(t, m.Raw)
	got, err := base64.StdEncoding.DecodeString(e.Params["payload"].(string))
	if err != nil || !bytes.Equal(got, payload) || e.Params["port"] != 77.0 {
		t.Fatalf("payload of %d bytes, %v, port %v", len(got), err, e.Params["port"])
	}
}

func TestOrdersThatCannotBeMet(t *testing.T) {
	ns := newNS(t, Config{})
	for _, o := range []Order{{Type: dataapi.DownlinkResponse}, {Type: "nonsense"}, {Device: "0000000000000000"}} {
		if _, err := ns.Emit(o); err == nil {
			t.Errorf("%+v was met", o)
		}
	}
	flooding := newNS(t, Config{Flood: Flood{Size: 560}})
	if _, err := flooding.Emit(Order{}); err == nil {
		t.Error("an order was met under flood")
	}
}

func TestABareErrorHasNothingButATime(t *testing.T) {
	ns := newNS(t, Config{})
	e := read(t, emit(t, ns, Order{Type: dataapi.Error, Bare: true, Text: `a "quoted" text`, Code: 7}).Raw)
	if len(e.Meta) != 1 || e.Params["message"] != `a "quoted" text` || e.Params["code"] != 7.0 {
		t.Errorf("got %+v", e)
	}
}
