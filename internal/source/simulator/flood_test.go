package simulator

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func TestEveryFloodFrameIsAMessageOfItsOwn(t *testing.T) {
	for _, size := range []int{200, 201, 202, 203, 300, 511, 512, 513, 514, 515, 560, 900, 66_000} {
		ns := newNS(t, Config{Seed: 1, Flood: Flood{Size: size, Batch: 7}})
		seen := make(map[string]bool)
		for n := range uint64(50) {
			frame := ns.FloodFrame(n + 1)
			if len(frame) != size {
				t.Fatalf("frame %d has %d bytes, want %d", n+1, len(frame), size)
			}
			e := read(t, frame)
			if e.Type != "uplink" || e.Params["counter_up"] != float64(floodCounter+n+1) {
				t.Fatalf("frame %d: %s", n+1, frame)
			}
			if p, err := base64.StdEncoding.DecodeString(e.Params["payload"].(string)); err != nil || len(p) < 12 {
				t.Fatalf("payload of frame %d: %v", n+1, err)
			}
			own := []any{e.Meta["time"], e.Meta["packet_id"], e.Params["payload"]}
			if size >= wholeUplink {
				own = append(own, e.Meta["packet_hash"], e.Params["rx_time"])
			}
			for _, v := range own {
				if key := fmt.Sprint(v); seen[key] {
					t.Fatalf("frame %d shares %s", n+1, key)
				} else {
					seen[key] = true
				}
			}
			if !bytes.Equal(frame, ns.FloodFrame(n+1)) {
				t.Fatalf("frame %d is not always the same", n+1)
			}
		}
	}
}

// TestABriefFloodFrameIsAnUplink checks what is made of a frame that lacks keys.
func TestABriefFloodFrameIsAnUplink(t *testing.T) {
	for size := minFloodSize; size < wholeUplink; size += 37 {
		ns := newNS(t, Config{Seed: 1, Flood: Flood{Size: size}})
		seen := map[dataapi.Identity]bool{}
		for n := range uint64(300) {
			frame := ns.FloodFrame(n + 1)
			e, err := dataapi.Scan(frame)
			if err != nil || e.Type != dataapi.Uplink || len(e.Meta.Device) != 16 || len(e.Meta.PacketID) != 32 || e.Meta.Time == 0 {
				t.Fatalf("frame %d of %d bytes: %+v, %v", n+1, size, e, err)
			}
			id, err := dataapi.Identify(frame)
			if err != nil || seen[id] {
				t.Fatalf("frame %d of %d bytes has the identity of another, or none: %v", n+1, size, err)
			}
			seen[id] = true
			if got, err := FloodNumber(frame); err != nil || got != n+1 {
				t.Fatalf("frame %d of %d bytes has number %d: %v", n+1, size, got, err)
			}
			if spaces := len(frame) - len(bytes.TrimRight(frame, " ")); spaces > 5 {
				t.Fatalf("frame %d of %d bytes ends in %d spaces", n+1, size, spaces)
			}
		}
	}
}

func TestAHeldFloodWaitsForItsRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{Flood: Flood{Size: 200, Frames: 300, Held: true}, PongInterval: time.Second})
		early := dial(t, ns, p, "")
		time.Sleep(5 * time.Minute)
		later := dial(t, ns, p, "")
		time.Sleep(5*time.Minute + time.Millisecond)
		for c, pongs := range map[*client]int{early: 600, later: 300} {
			nothing(t, c)
			if n := len(c.pongs); n != pongs {
				t.Errorf("%d PONGs came, want %d", n, pongs)
			}
		}
		ns.Inject([]byte("raw"))
		if string(early.next(t)) != "raw" || string(later.next(t)) != "raw" {
			t.Error("a raw frame did not come")
		}
		if n := ns.Release(); n != 2 {
			t.Errorf("%d streams were released", n)
		}
		for _, c := range []*client{early, later, dial(t, ns, p, "")} {
			checkFlood(t, ns, c, 1, 300)
		}
		if n := ns.Release(); n != 0 {
			t.Errorf("%d streams were released again", n)
		}
	})
	if n := newNS(t, Config{}).Release(); n != 0 {
		t.Errorf("%d streams were released without a flood", n)
	}
}

func TestFloodNumberIsThatOfFloodFrame(t *testing.T) {
	ns := newNS(t, Config{Flood: Flood{Size: 560}})
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(1, maxFlood).Draw(t, "n")
		if got, err := FloodNumber(ns.FloodFrame(n)); err != nil || got != n {
			t.Fatalf("got %d, %v", got, err)
		}
	})
	for _, frame := range []string{"", "{}", `{"counter_up":12}`, `{"counter_up":"1000000000"}`, `{"counter_up": 0000000001}`} {
		if n, err := FloodNumber([]byte(frame)); err == nil {
			t.Errorf("%s has the number %d", frame, n)
		}
	}
	if newNS(t, Config{}).FloodFrame(1) != nil {
		t.Error("there is a flood frame without a flood")
	}
}

func checkFlood(t *testing.T, ns *NS, c *client, first, last uint64) {
	t.Helper()
	for n := first; n <= last; n++ {
		frame := c.next(t)
		if !bytes.Equal(frame, ns.FloodFrame(n)) {
			got, err := FloodNumber(frame)
			t.Fatalf("frame %d came in place of %d (%v)", got, n, err)
		}
	}
}

func TestAFloodComesInOrderAndWhole(t *testing.T) {
	ns := start(t, Config{Flood: Flood{Size: 560, Frames: 5000, Batch: 64}})
	a, b := dial(t, ns, nil, ""), dial(t, ns, nil, "")
	checkFlood(t, ns, a, 1, 5000)
	checkFlood(t, ns, b, 1, 5000)
	if s := ns.Stats(); s.Sent != 10_000 {
		t.Errorf("stats: %+v", s)
	}
	// The streams stay open, and downlinks are heard.
	a.send(t, "bad")
	if e := read(t, a.next(t)); e.Type != "error" {
		t.Errorf("a bad message is answered by %+v", e)
	}
	ns.Inject([]byte("raw"))
	if string(a.next(t)) != "raw" || string(b.next(t)) != "raw" {
		t.Error("a raw frame did not come")
	}
}

func TestAFloodIsResumed(t *testing.T) {
	ns := start(t, Config{Flood: Flood{Size: 560, Frames: 1000, Batch: 50}})
	checkFlood(t, ns, dial(t, ns, nil, ""), 1, 1000)
	for _, from := range []uint64{1, 49, 50, 51, 777, 1000} {
		seconds := read(t, ns.FloodFrame(from)).Meta["time"].(float64)
		checkFlood(t, ns, dial(t, ns, nil, fmt.Sprintf("from_unixtime=%.6f", seconds)), from, 1000)
	}
	checkFlood(t, ns, dial(t, ns, nil, "from_unixtime=0"), 1, 1000)
}

func TestAFloodBeginsAtOneForAClientAheadOfIt(t *testing.T) {
	ns := start(t, Config{Flood: Flood{Size: 560, Frames: 100}})
	checkFlood(t, ns, dial(t, ns, nil, "from_unixtime=4000000000"), 1, 100)
}

func TestFaultsUnderFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{Flood: Flood{Size: 560, Batch: 10}, PongInterval: time.Second})
		c := dialUnread(t, ns, p, "")
		for n := uint64(1); n <= 25; n++ {
			if _, frame, err := c.conn.ReadMessage(); err != nil || !bytes.Equal(frame, ns.FloodFrame(n)) {
				t.Fatalf("frame %d: %v", n, err)
			}
		}
		synctest.Wait()
		ns.Stall(time.Minute)
		go c.read()
		synctest.Wait()
		// Frames 20 to 29 had come, as one batch, and 30 to 39 were under way.
		if n := len(c.pending()); n != 14 {
			t.Fatalf("%d frames came in a stall", n)
		}
		time.Sleep(30 * time.Second)
		nothing(t, c)
		if len(c.pongs) != 0 {
			t.Error("a PONG came in a stall")
		}
		ns.Drop(CloseFrame)
		if _, err := c.ending(t); err == nil || !strings.Contains(err.Error(), "1001") {
			t.Errorf("the flood ends with %v", err)
		}
	})
}

// rawReader upgrades by hand and then only counts bytes: the cheapest consumer there is.
func rawReader(b *testing.B, ns *NS) net.Conn {
	b.Helper()
	conn, err := net.Dial("tcp", ns.Addr())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	r, _ := http.NewRequest(http.MethodGet, strings.Replace(ns.URL(), "ws", "http", 1)+"?access_token=t", nil)
	for k, v := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": base64.StdEncoding.EncodeToString(make([]byte, 16)),
	} {
		r.Header.Set(k, v)
	}
	if err := r.Write(conn); err != nil {
		b.Fatal(err)
	}
	var head []byte
	for one := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, one[0]) {
		if _, err := io.ReadFull(conn, one); err != nil {
			b.Fatal(err)
		}
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
		b.Fatalf("no upgrade: %s", head)
	}
	return conn
}

func BenchmarkFlood(b *testing.B) {
	ns := start(b, Config{Flood: Flood{Size: 560}})
	conn := rawReader(b, ns)
	buf := make([]byte, 1<<18)
	b.SetBytes(560)
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N * 564; left > 0; {
		n, err := conn.Read(buf)
		if err != nil {
			b.Fatal(err)
		}
		left -= n
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}

func BenchmarkFloodFrame(b *testing.B) {
	ns := start(b, Config{Flood: Flood{Size: 560}})
	w := ns.flood.writer(&query{from: -1})
	b.ReportAllocs()
	for n := 0; n < b.N; {
		_, count := w.batchNext()
		n += count
	}
}

func BenchmarkGenerate(b *testing.B) {
	ns := newNS(b, Config{})
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = ns.gen.render(buf[:0], ns.gen.next(time.Now()), view{})
	}
}

func BenchmarkStream(b *testing.B) {
	ns := start(b, Config{Filters: map[string]Filter{"all": {}}, QueueLimit: 1 << 30})
	conn := rawReader(b, ns)
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	b.ReportAllocs()
	for b.Loop() {
		ns.mu.Lock()
		for range 100 {
			ns.happen(ns.gen.make(ns.gen.traffic, "uplink", ns.gen.devices[0], ns.cfg.Now()), nil)
		}
		ns.mu.Unlock()
		n := ns.Stats().Generated
		await(b, ns, func(s Stats) bool { return s.Sent == n })
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "frames/s")
}
