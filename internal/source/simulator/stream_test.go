package simulator

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func TestAStreamGetsTheDefaultTypesAsTheyWereGenerated(t *testing.T) {
	ns := start(t, Config{Seed: 1, Record: 10_000})
	c := dial(t, ns, nil, "")
	var want [][]byte
	for range 20 {
		for _, kind := range generated {
			if m := emit(t, ns, Order{Type: kind}); slices.Contains(defaultTypes, m.Type) || m.Type == dataapi.Status {
				want = append(want, m.Raw)
			}
		}
	}
	got := c.nextN(t, len(want))
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("frame %d:\n%s\nwant\n%s", i, got[i], want[i])
		}
	}
	sent := ns.Sent()
	if len(sent) != len(want) {
		t.Fatalf("the ledger has %d frames sent, want %d", len(sent), len(want))
	}
	for i, s := range sent {
		if !bytes.Equal(s.Raw, want[i]) || s.Stream != 1 || s.History || s.Repeat || s.Copy != 0 {
			t.Fatalf("the ledger has as frame %d: %+v", i, s)
		}
	}
}

// What arrives is compared with a reading of the frames themselves, which knows nothing of how filters work.
func TestFiltersSelect(t *testing.T) {
	probe := newNS(t, Config{Seed: 3, Devices: 20})
	g := probe.gen
	some, gateway, joinEUI := g.devices[4], g.gateways[1], g.devices[4].joinEUI
	tagged := g.devices[slices.IndexFunc(g.devices, func(d *device) bool { return len(d.tags) > 0 })]
	filters := map[string]Filter{
		"all":     {},
		"uplinks": {Types: []dataapi.Type{dataapi.Uplink}},
		"both":    {Types: []dataapi.Type{dataapi.Uplink, dataapi.Info}, Devices: []string{strings.ToUpper(some.eui)}},
	}
	is := func(key string, values ...string) func(envelope) bool {
		return func(e envelope) bool {
			v, _ := e.Meta[key].(string)
			return slices.Contains(values, v)
		}
	}
	normal := func(e envelope) bool {
		return slices.Contains(defaultTypes, dataapi.Type(e.Type)) || e.Type == "status"
	}
	for query, passes := range map[string]func(envelope) bool{
		"":                                   normal,
		"filter=all":                         func(envelope) bool { return true },
		"filter=uplinks":                     func(e envelope) bool { return e.Type == "uplink" },
		"filter=both":                        func(e envelope) bool { return (e.Type == "uplink" || e.Type == "info") && is("device", some.eui)(e) },
		"types=location,error":               func(e envelope) bool { return e.Type == "location" || e.Type == "error" },
		"types=status_response":              func(e envelope) bool { return e.Type == "status" || e.Type == "status_response" },
		"devices=" + some.eui:                func(e envelope) bool { return normal(e) && is("device", some.eui)(e) },
		"devices=" + some.eui + ",x":         func(e envelope) bool { return normal(e) && is("device", some.eui)(e) },
		"applications=" + joinEUI:            func(e envelope) bool { return normal(e) && is("application", joinEUI)(e) },
		"gateways=" + gateway:                func(e envelope) bool { return normal(e) && is("gateway", gateway)(e) },
		"types=location&gateways=" + gateway: func(envelope) bool { return false },
		"tags=nobody":                        func(envelope) bool { return false },
		"tags=nobody," + strings.ReplaceAll(tagged.tags[0], " ", "%20"): func(e envelope) bool {
			tags, _ := e.Meta["tags"].([]any)
			return normal(e) && slices.Contains(tags, any(tagged.tags[0]))
		},
	} {
		ns := start(t, Config{Seed: 3, Devices: 20, Filters: filters, Record: 1000})
		c := dial(t, ns, nil, query)
		var want [][]byte
		for range 60 {
			for _, kind := range generated {
				if m := emit(t, ns, Order{Type: kind}); passes(read(t, m.Raw)) {
					want = append(want, m.Raw)
				}
			}
		}
		ns.Inject([]byte("end"))
		got := c.nextN(t, len(want)+1)
		for i, frame := range append(want, []byte("end")) {
			if !bytes.Equal(got[i], frame) {
				t.Errorf("%q: frame %d is\n%s\nwant\n%s", query, i, got[i], frame)
				break
			}
		}
		if id, ok := strings.CutPrefix(query, "filter="); ok {
			owed, err := ns.MessagesFor(id)
			if err != nil || !slices.EqualFunc(raws(owed), want, bytes.Equal) {
				t.Errorf("%q: MessagesFor lists %d messages, want %d (%v)", query, len(owed), len(want), err)
			}
		}
	}
}

func TestMessagesForAnUnknownFilter(t *testing.T) {
	if _, err := newNS(t, Config{}).MessagesFor("f"); err == nil {
		t.Error("no error")
	}
}

func TestDuplicateGivesACopyForEachGateway(t *testing.T) {
	ns := start(t, Config{Seed: 4, Gateways: 3})
	all, one := dial(t, ns, nil, "duplicate=1&radio=1"), dial(t, ns, nil, "radio=1")
	several := 0
	for range 50 {
		m := emit(t, ns, Order{})
		copies := all.nextN(t, m.facts.copies)
		single := one.next(t)
		if !bytes.Equal(copies[0], single) {
			t.Fatalf("the first copy is not what others get:\n%s\n%s", copies[0], single)
		}
		seen := make(map[string]bool)
		for i, frame := range copies {
			e := read(t, frame)
			for _, key := range []string{"packet_id", "gateway"} {
				if v := e.Meta[key].(string); seen[v] {
					t.Fatalf("two copies share %s %s", key, v)
				} else {
					seen[v] = true
				}
			}
			if e.Meta["packet_hash"] != read(t, copies[0]).Meta["packet_hash"] {
				t.Fatal("copies do not share packet_hash")
			}
			if e.Params["payload"] != read(t, copies[0]).Params["payload"] || e.Params["duplicate"] != (i > 0) {
				t.Fatalf("copy %d: %+v", i, e.Params)
			}
		}
		if len(copies) > 1 {
			several++
		}
	}
	if several == 0 {
		t.Error("no packet was heard by two gateways")
	}
}

func TestUnsolicitedPongsKeepTheirCadence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{})
		c := dial(t, ns, p, "")
		for i := 1; i <= 4; i++ {
			time.Sleep(25*time.Second - time.Nanosecond)
			synctest.Wait()
			if n := len(c.pongs); n != i-1 {
				t.Fatalf("%d PONGs just before %d intervals", n, i)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if n := len(c.pongs); n != i {
				t.Fatalf("%d PONGs after %d intervals", n, i)
			}
		}
	})
}

func TestPingIsAnsweredByPongWithItsData(t *testing.T) {
	ns := start(t, Config{})
	c := dial(t, ns, nil, "")
	if err := c.conn.WriteControl(websocket.PingMessage, []byte("are you there?"), time.Now().Add(bound)); err != nil {
		t.Fatal(err)
	}
	select {
	case data := <-c.pongs:
		if data != "are you there?" {
			t.Errorf("PONG says %q", data)
		}
	case <-time.After(bound):
		t.Error("no PONG")
	}
}

func TestAClientsCloseIsAnswered(t *testing.T) {
	ns := start(t, Config{})
	c := dial(t, ns, nil, "")
	goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := c.conn.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(bound)); err != nil {
		t.Fatal(err)
	}
	_, err := c.ending(t)
	if !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("the stream ends with %v", err)
	}
	await(t, ns, func(s Stats) bool { return s.Streams == 0 })
	if info := ns.Streams(); len(info) != 1 || info[0].Ended.IsZero() || info[0].Reason != "client closed with code 1000" {
		t.Errorf("streams: %+v", info)
	}
}

func TestAClientThatReadsTooSlowlyIsDroppedAndHistoryHasTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{Seed: 5, QueueLimit: 100})
		c := dialUnread(t, ns, p, "")
		first := emit(t, ns, Order{})
		synctest.Wait() // the writer is stuck with it
		rest := emitN(t, ns, dataapi.Uplink, 100)
		synctest.Wait()
		if s := ns.Stats(); s.Streams != 1 {
			t.Fatal("the client was dropped before its queue was full")
		}
		rest = append(rest, emit(t, ns, Order{}))
		go c.read()
		got, err := c.ending(t)
		if len(got) != 1 || !bytes.Equal(got[0], first.Raw) || !websocket.IsCloseError(err, closeTryAgainLater) {
			t.Errorf("%d frames came, then %v", len(got), err)
		}
		again := dial(t, ns, p, "from_unixtime=0")
		sameMessages(t, "from history", again.nextN(t, 102), append(raws([]Message{first}), raws(rest)...))
	})
}

var packetIDs = regexp.MustCompile(`"packet_id"\s*:\s*"[0-9a-f]{32}"`)

// Clients come and go while messages are generated: each, with from_unixtime=0, gets every message exactly once.
func TestNothingFallsBetweenHistoryAndLive(t *testing.T) {
	ns := start(t, Config{Seed: 6})
	const messages, clients = 1500, 5
	var emitting sync.WaitGroup
	emitting.Go(func() {
		for range messages {
			if _, err := ns.Emit(Order{}); err != nil {
				t.Error(err)
			}
		}
	})
	var streams []*client
	for i := range clients {
		await(t, ns, func(s Stats) bool { return s.Generated >= uint64(i*messages/clients) })
		streams = append(streams, dial(t, ns, nil, "types=uplink&from_unixtime=0"))
	}
	emitting.Wait()
	for i, c := range streams {
		seen := make(map[string]bool)
		replayed := 0
		for _, frame := range c.nextN(t, messages) {
			seen[string(packetIDs.Find(frame))] = true
			if bytes.Contains(frame, []byte(`"history"`)) {
				replayed++
			}
		}
		if extra := c.pending(); len(seen) != messages || len(extra) > 0 {
			t.Errorf("client %d: %d different messages of %d, and %d more", i, len(seen), messages, len(extra))
		}
		if i > 0 && replayed == 0 {
			t.Errorf("client %d came late and got no history", i)
		}
	}
}
