package source

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// discards collects what a session discarded.
type discards struct {
	mu  sync.Mutex
	all []string
}

func (d *discards) add(one Discard) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, fmt.Sprintf("%s %d %.20s %t", one.Reason, one.Size, one.Head, one.Err != nil))
}

func (d *discards) get() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.all)
}

func info(n int) string { return fmt.Sprintf(`{ "meta":{"time":%d}, "type" : "info"}`, n) }

func TestFramesAreWhatWasSent(t *testing.T) {
	t.Parallel()
	messages := []string{
		uplink(1, 560), "\n" + info(2) + " \r\n", `{"type":"ünknown","meta":{"device":"d\u0031"},"x":1.00e+2}`, uplink(3, 100_000), uplink(4, 1<<20),
	}
	before := time.Now()
	s := open(t, listen(t, upgrade(func(p *peer) {
		for _, m := range messages {
			p.text(t, m)
		}
		_ = p.drain()
	})))
	var frames []Frame
	for len(frames) < len(messages) {
		batch, err := s.Read(patient(t))
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, batch...)
	}
	for i, f := range frames {
		if string(f.Raw) != messages[i] {
			t.Errorf("frame %d is %.80q…, want %.80q…", i, f.Raw, messages[i])
		}
		if f.Received.Before(before) || f.Received.After(time.Now()) {
			t.Errorf("frame %d was received at %s", i, f.Received)
		}
		if cap(f.Raw) != len(f.Raw) {
			t.Errorf("frame %d could be appended to, over its neighbour", i)
		}
	}
	if e := frames[0].Envelope; e.Type != "uplink" || string(e.Meta.Device) != "0000000000000001" {
		t.Errorf("envelope 0 = %+v", e)
	}
	if e := frames[2].Envelope; e.Type != "ünknown" || string(e.Meta.Device) != "d1" {
		t.Errorf("envelope 2 = %+v", e)
	}
}

func TestWhatIsNoFrameIsSkipped(t *testing.T) {
	t.Parallel()
	var got discards
	o := listen(t, upgrade(func(p *peer) {
		for i, bad := range []string{"", "garbage", "[1]", `{"meta":{}}`, `{"type":7}`, `{"type":"info","meta":1}`, info(1) + info(2)} {
			p.text(t, bad)
			p.text(t, info(i))
		}
		if err := p.WriteMessage(websocket.BinaryMessage, []byte(info(99))); err != nil {
			t.Error(err)
		}
		p.text(t, info(7))
		_ = p.drain()
	}))
	o.Discarded = got.add
	s := open(t, o)
	for i, f := range readN(t, s, 8) {
		if f != info(i) {
			t.Errorf("frame %d is %s", i, f)
		}
	}
	want := []string{
		"not_json 0  true", "not_json 7 garbage true", "not_object 3 [1] true", `no_type 11 {"meta":{}} true`, `no_type 10 {"type":7} true`,
		`bad_meta 24 {"type":"info","meta true`, `not_json 74 { "meta":{"time":1}, true`, `binary 38 { "meta":{"time":99} false`,
	}
	if all := got.get(); !slices.Equal(all, want) {
		t.Errorf("discarded\n%s\nwant\n%s", strings.Join(all, "\n"), strings.Join(want, "\n"))
	}
}

func TestTheLimitIsExact(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{300, smallChunk, 5000, largeChunk, 100_000} {
		var got discards
		o := listen(t, upgrade(func(p *peer) {
			p.text(t, fit(limit+1))
			p.text(t, fit(limit))
			p.text(t, fit(limit+2))
			p.text(t, fit(limit-1))
			_ = p.drain()
		}))
		o.MaxFrameBytes, o.Discarded = limit, got.add
		s := open(t, o)
		frames := readN(t, s, 2)
		if frames[0] != fit(limit) || frames[1] != fit(limit-1) {
			t.Errorf("limit %d: frames of %d and %d bytes", limit, len(frames[0]), len(frames[1]))
		}
		const head = `{"type":"info","x":"A`
		want := []string{fmt.Sprintf("oversize %d %.20s false", limit+1, head), fmt.Sprintf("oversize %d %.20s false", limit+2, head)}
		if all := got.get(); !slices.Equal(all, want) {
			t.Errorf("limit %d: discarded %q, want %q", limit, all, want)
		}
	}
}

// fit returns a message of exactly size bytes.
func fit(size int) string {
	const begin, end = `{"type":"info","x":"`, `"}`
	return begin + strings.Repeat("A", size-len(begin)-len(end)) + end
}

func TestAHugeFrameIsSkippedWithoutBeingHeld(t *testing.T) {
	huge := textFrame(strings.Repeat("x", 10_000_000))
	const times = 5
	var got discards
	o := listen(t, upgrade(func(p *peer) {
		for range times {
			p.raw(t, huge)
		}
		p.text(t, info(1))
		_ = p.drain()
	}))
	o.Discarded = got.add
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s := open(t, o)
	if f := readN(t, s, 1); f[0] != info(1) {
		t.Errorf("frame %s", f)
	}
	runtime.ReadMemStats(&after)
	if all := got.get(); len(all) != times || all[0] != "oversize 10000000 xxxxxxxxxxxxxxxxxxxx false" {
		t.Errorf("discarded %q", all)
	}
	// Buffers double up to the limit of 1 MiB before a frame is known to be too large: 2 MiB in all, one after another.
	if grown := after.TotalAlloc - before.TotalAlloc; grown > times*3<<20 {
		t.Errorf("%d huge frames took %d bytes in all, want at most 3 MiB each", times, grown)
	}
}

func TestFragmentsMakeOneFrame(t *testing.T) {
	t.Parallel()
	message := uplink(5, 3000)
	s := open(t, listen(t, upgrade(func(p *peer) {
		var wire []byte
		for i := 0; i < len(message); i += 100 {
			end := min(i+100, len(message))
			first := byte(0x00) // continuation (RFC 6455 §5.4)
			if i == 0 {
				first = 0x01
			}
			if end == len(message) {
				first |= 0x80
			}
			wire = append(append(wire, first, byte(end-i)), message[i:end]...)
			wire = append(wire, 0x8a, 0x00) // a PONG may come in between
		}
		p.raw(t, wire)
		_ = p.drain()
	})))
	if got := readN(t, s, 1); got[0] != message {
		t.Errorf("frame %q", got)
	}
}

func TestOrderIsKeptUnderBackpressure(t *testing.T) {
	t.Parallel()
	const n = 20_000
	sent := make(chan struct{})
	s := open(t, listen(t, upgrade(func(p *peer) {
		for i := range n {
			p.text(t, uplink(i, 560))
		}
		close(sent)
		_ = p.drain()
	})))
	// 11 MB fit into no socket buffer: nobody reads until the batch is full.
	ctx, next := patient(t), 0
	for !s.intake.full() {
		if ctx.Err() != nil {
			t.Fatal("the batch does not fill up")
		}
		runtime.Gosched()
	}
	for next < n {
		frames, err := s.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		bytes := 0
		for _, f := range frames {
			if string(f.Raw) != uplink(next, 560) {
				t.Fatalf("frame %d is %s", next, f.Raw)
			}
			bytes += len(f.Raw)
			next++
		}
		if len(frames) > MaxBatchFrames || bytes > MaxBatchBytes {
			t.Fatalf("a batch of %d frames, %d bytes", len(frames), bytes)
		}
	}
	await(t, sent, "end of sending")
}

func (in *intake) full() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.frames) >= MaxBatchFrames
}
