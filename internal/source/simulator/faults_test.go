package simulator

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func TestDropEndsTheConnectionAsAsked(t *testing.T) {
	for how, check := range map[Drop]func(error) bool{
		Reset:  func(err error) bool { return errors.Is(err, syscall.ECONNRESET) },
		Hangup: func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) || websocket.IsCloseError(err, 1006) },
		CloseFrame: func(err error) bool {
			var closed *websocket.CloseError
			return errors.As(err, &closed) && closed.Code == closeGoingAway && closed.Text == "dropped on request"
		},
	} {
		ns := start(t, Config{})
		c, other := dial(t, ns, nil, ""), dial(t, ns, nil, "")
		emit(t, ns, Order{})
		c.next(t)
		if n := ns.Drop(how, 1); n != 1 {
			t.Fatalf("%d streams were dropped", n)
		}
		if _, err := c.ending(t); !check(err) {
			t.Errorf("Drop(%d) ends the stream with %v", how, err)
		}
		await(t, ns, func(s Stats) bool { return s.Streams == 1 })
		other.next(t)
		emit(t, ns, Order{})
		other.next(t)
		if info := ns.Streams(); info[0].Reason != "dropped on request" || info[0].Sent != 1 || !info[1].Ended.IsZero() {
			t.Errorf("streams: %+v", info)
		}
	}
}

// The writer is stuck in a write that the client does not read; a drop must not wait for it.
func TestDropEndsAStuckConnection(t *testing.T) {
	for _, how := range []Drop{Reset, Hangup, CloseFrame} {
		synctest.Test(t, func(t *testing.T) {
			ns, p := startPiped(t, Config{})
			dialUnread(t, ns, p, "")
			emit(t, ns, Order{})
			synctest.Wait()
			begin := time.Now()
			ns.Drop(how)
			await(t, ns, func(s Stats) bool { return s.Streams == 0 })
			if d := time.Since(begin); d > 2*closeWait {
				t.Errorf("Drop(%d) took %v", how, d)
			}
		})
	}
}

func TestAStallSendsNothingNotEvenPongs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{Seed: 1})
		c := dial(t, ns, p, "types=uplink")
		ns.Stall(2 * time.Minute)
		want := raws(emitN(t, ns, dataapi.Uplink, 300))
		_ = c.conn.WriteControl(websocket.PingMessage, []byte("?"), time.Now().Add(time.Second))
		time.Sleep(2*time.Minute - 1)
		nothing(t, c)
		if n := len(c.pongs); n != 0 {
			t.Fatalf("%d PONGs during a stall", n)
		}
		c.send(t, `{"type":"status_request","meta":{"device":"`+ns.Devices()[0]+`"}}`) // TCP is up, downlinks are heard
		if r := judged(t, ns); r.Outcome != Accepted {
			t.Errorf("a downlink during a stall is judged %+v", r)
		}
		time.Sleep(2 * time.Nanosecond)
		synctest.Wait()
		got := c.pending()
		if len(got) != len(want)+1 || !slices.EqualFunc(got[:len(want)], want, bytes.Equal) {
			t.Errorf("%d frames came after the stall, want %d", len(got), len(want)+1)
		}
		if n := len(c.pongs); n != 1 {
			t.Errorf("%d PONGs after the stall, want the overdue one", n)
		}
	})
}

func TestAStallLastsUntilResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{})
		c := dial(t, ns, p, "")
		ns.Stall(0)
		m := emit(t, ns, Order{})
		time.Sleep(24 * time.Hour)
		nothing(t, c)
		ns.Resume()
		synctest.Wait()
		if got := c.pending(); len(got) != 1 || !bytes.Equal(got[0], m.Raw) {
			t.Errorf("%d frames came", len(got))
		}
	})
}

func TestAStallThatOverflowsEndsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{QueueLimit: 10})
		c := dial(t, ns, p, "")
		ns.Stall(time.Minute)
		emitN(t, ns, dataapi.Uplink, 11)
		time.Sleep(time.Minute - 1)
		if s := ns.Stats(); s.Streams != 1 {
			t.Fatal("the stream ended during the stall")
		}
		if _, err := c.ending(t); !websocket.IsCloseError(err, closeTryAgainLater) {
			t.Errorf("the stream ends with %v", err)
		}
	})
}

func TestDisorderSendsEverythingWithinAWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const window = 3
		ns, p := startPiped(t, Config{Seed: 2, Faults: Faults{Window: window}})
		c := dial(t, ns, p, "")
		ns.Disorder(50)
		want := raws(emitN(t, ns, dataapi.Uplink, 100))
		time.Sleep(time.Second)
		synctest.Wait()
		got := c.pending()
		sorted := func(frames [][]byte) []string { return slices.Sorted(slices.Values(canonicals(t, frames))) }
		if !slices.Equal(sorted(got), sorted(want)) {
			t.Fatalf("%d frames came, %d were generated, or they differ", len(got), len(want))
		}
		moved := 0
		for i := range got {
			from := slices.IndexFunc(want, func(f []byte) bool { return bytes.Equal(f, got[i]) })
			if from != i {
				moved++
			}
			if from < i-2*window || from > i+2*window {
				t.Errorf("frame %d came as %d", from, i)
			}
			if i >= 50+window && from != i {
				t.Errorf("frame %d came as %d after the fault was over", from, i)
			}
		}
		if moved < 20 {
			t.Errorf("%d frames came out of order", moved)
		}
	})
}

func TestAFrameThatNothingOvertakesGoesAnyway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{})
		c := dial(t, ns, p, "")
		ns.Disorder(0) // none
		before := emit(t, ns, Order{})
		synctest.Wait()
		if got := c.pending(); len(got) != 1 || !bytes.Equal(got[0], before.Raw) {
			t.Errorf("%d frames came", len(got))
		}
		ns.Disorder(1)
		m := emit(t, ns, Order{})
		nothing(t, c)
		time.Sleep(holdAtMost)
		synctest.Wait()
		if got := c.pending(); len(got) != 1 || !bytes.Equal(got[0], m.Raw) {
			t.Errorf("%d frames came", len(got))
		}
	})
}

func TestRepeatSendsTwice(t *testing.T) {
	ns := start(t, Config{Record: 100})
	c := dial(t, ns, nil, "")
	ns.Repeat(2)
	m := raws(emitN(t, ns, dataapi.Uplink, 3))
	for i, want := range [][]byte{m[0], m[0], m[1], m[1], m[2]} {
		if !bytes.Equal(c.next(t), want) {
			t.Fatalf("frame %d is not the one expected", i)
		}
	}
	if s := ns.Stats(); s.Repeated != 2 || s.Sent != 5 || !ns.Sent()[1].Repeat || ns.Sent()[0].Repeat {
		t.Errorf("stats: %+v", s)
	}
}

func TestInjectSendsAnyBytesInLine(t *testing.T) {
	ns := start(t, Config{})
	c := dial(t, ns, nil, "")
	huge := bytes.Repeat([]byte{'x'}, 10<<20)
	for _, frame := range [][]byte{{}, []byte("garbage"), {0xff, 0}, []byte(`{"meta":{}}`), make([]byte, 125), make([]byte, 126), make([]byte, 65536), huge} {
		before := emit(t, ns, Order{})
		ns.Inject(frame)
		after := emit(t, ns, Order{})
		for _, want := range [][]byte{before.Raw, frame, after.Raw} {
			if got := c.next(t); !bytes.Equal(got, want) {
				t.Fatalf("got %d bytes, want %d", len(got), len(want))
			}
		}
	}
}

// A client that resumes from history gets everything through any mixture of faults by chance.
func TestFaultsByChanceLoseNothing(t *testing.T) {
	ns := start(t, Config{Seed: 7, Faults: Faults{
		Drop: 0.01, Stall: 0.005, StallFor: time.Millisecond, Disorder: 0.05, Repeat: 0.05, Garbage: 0.05, Refuse: 0.3,
	}})
	const messages = 300
	missing := make(map[string]bool)
	for _, m := range emitN(t, ns, dataapi.Uplink, messages) {
		missing[canonical(t, m.Raw)] = true
	}
	garbage, connects := 0, 0
	for ; len(missing) > 0; connects++ {
		if connects > 2000 {
			t.Fatalf("%d messages never came", len(missing))
		}
		conn, resp, err := dialer(nil).Dial(ns.URL()+"?access_token=t&from_unixtime=0", nil)
		if err != nil {
			if resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
				t.Fatal(err)
			}
			continue
		}
		for len(missing) > 0 {
			_, frame, err := conn.ReadMessage()
			if err != nil {
				break
			}
			c, err := Canonical(frame)
			if err != nil || !strings.Contains(string(c), `"packet_id"`) {
				garbage++
			}
			delete(missing, string(c))
		}
		_ = conn.Close()
	}
	if s := ns.Stats(); garbage == 0 || connects < 3 || s.Refused == 0 || s.Repeated == 0 {
		t.Errorf("%d garbage frames, %d connects: %+v", garbage, connects, s)
	}
}
