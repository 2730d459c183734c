package simulator

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// replayed asks for history and returns what comes before a marker.
func replayed(t *testing.T, ns *NS, query string) [][]byte {
	t.Helper()
	c := dial(t, ns, nil, query)
	open := ns.chosen(nil)
	id := open[len(open)-1].id
	var out [][]byte
	await(t, ns, func(Stats) bool {
		streams := ns.chosen([]uint64{id})
		return len(streams) == 1 && streams[0].sent.Load() >= uint64(len(streams[0].owedFrames()))
	})
	ns.Inject([]byte("end"), id)
	for f := c.next(t); string(f) != "end"; f = c.next(t) {
		if e := read(t, f); e.Meta["history"] != true {
			t.Fatalf("not marked as history: %s", f)
		}
		out = append(out, f)
	}
	_ = c.conn.Close()
	return out
}

// owedFrames are those that the stream was owed from history; the slice never changes once the stream is open.
func (s *stream) owedFrames() []item {
	if s.replay == nil {
		return nil
	}
	return s.replay.items
}

func sameMessages(t *testing.T, what string, got, want [][]byte) {
	t.Helper()
	if !slices.Equal(canonicals(t, got), canonicals(t, want)) {
		t.Errorf("%s: %d messages, want %d", what, len(got), len(want))
	}
}

func TestRetention(t *testing.T) {
	clock := newFakeClock()
	ns := start(t, Config{Seed: 1, Now: clock.Now})
	const all = "types=uplink,downlink,info,location,error,warning,downlink_request,join_request,status_response&from_unixtime=0"
	var first, long [][]byte
	for _, kind := range generated {
		m := emit(t, ns, Order{Type: kind})
		first = append(first, m.Raw)
		if kind == dataapi.Uplink || kind == dataapi.Downlink {
			long = append(long, m.Raw)
		}
	}
	sameMessages(t, "at once", replayed(t, ns, all), first)
	clock.advance(time.Hour)
	sameMessages(t, "after 1 h", replayed(t, ns, all), first)
	clock.advance(time.Microsecond)
	sameMessages(t, "after more than 1 h", replayed(t, ns, all), long)
	clock.advance(47*time.Hour - time.Microsecond)
	sameMessages(t, "after 48 h", replayed(t, ns, all), long)
	clock.advance(time.Microsecond)
	sameMessages(t, "after more than 48 h", replayed(t, ns, all), nil)
}

func TestRetentionIsConfigured(t *testing.T) {
	clock := newFakeClock()
	ns := start(t, Config{Now: clock.Now, History: History{Retention: time.Minute, RetentionOther: time.Second}})
	up := emit(t, ns, Order{})
	emit(t, ns, Order{Type: dataapi.Location})
	clock.advance(time.Minute)
	sameMessages(t, "after 1 min", replayed(t, ns, "types=uplink,location&from_unixtime=0"), [][]byte{up.Raw})
	clock.advance(1)
	sameMessages(t, "after more", replayed(t, ns, "types=uplink,location&from_unixtime=0"), nil)
}

func TestFromUnixtimeAndLastMessages(t *testing.T) {
	clock := newFakeClock()
	ns := start(t, Config{Seed: 2, Now: clock.Now})
	var want []Message
	for range 1200 {
		clock.advance(time.Second)
		want = append(want, emit(t, ns, Order{}))
	}
	for _, c := range []struct {
		query string
		want  []Message
	}{
		{"last_messages=0", nil},
		{"last_messages=1", want[1199:]},
		{"last_messages=1000", want[200:]},
		{"from_unixtime=0", want},
		{"from_unixtime=" + unix(want[700].facts.time), want[700:]},
		{"from_unixtime=" + unix(want[700].facts.time+1), want[701:]},
		{"from_unixtime=" + fmt.Sprint(want[700].facts.time/1e6+1), want[701:]},
		{"from_unixtime=4000000000", nil},
		{"last_messages=10&from_unixtime=0", want[1190:]},
		{"last_messages=1000&from_unixtime=" + unix(want[1190].facts.time), want[1190:]},
	} {
		sameMessages(t, c.query, replayed(t, ns, c.query), raws(c.want))
	}
}

func TestReplayIsFilteredAndSeenAsTheStreamAsked(t *testing.T) {
	ns := start(t, Config{Seed: 3, Filters: map[string]Filter{"f": {Types: []dataapi.Type{dataapi.Uplink}}}})
	live := dial(t, ns, nil, "filter=f&radio=1&lora=1&duplicate=1")
	frames := 0
	for range 30 {
		frames += emit(t, ns, Order{}).facts.copies
		emit(t, ns, Order{Type: dataapi.Info})
	}
	want := live.nextN(t, frames)
	got := replayed(t, ns, "filter=f&radio=1&lora=1&duplicate=1&from_unixtime=0")
	sameMessages(t, "with copies", got, want)
	for i := range got {
		if !isInsertion(want[i], got[i]) {
			t.Fatalf("frame %d differs by more than an insertion:\n%s\n%s", i, want[i], got[i])
		}
	}
	sameMessages(t, "the last three frames",
		replayed(t, ns, "filter=f&radio=1&lora=1&duplicate=1&last_messages=3"), want[len(want)-3:])
}

func TestReshuffleChangesOrderAndSpacingOnly(t *testing.T) {
	ns := start(t, Config{Seed: 4, History: History{Reshuffle: true}})
	var want [][]byte
	for _, m := range emitN(t, ns, dataapi.Uplink, 20) {
		want = append(want, m.Raw)
	}
	got := replayed(t, ns, "from_unixtime=0")
	sameMessages(t, "reshuffled", got, want)
	other := 0
	for i := range got {
		if !isInsertion(want[i], got[i]) {
			other++
		}
	}
	if other < 10 {
		t.Errorf("only %d of 20 messages were written otherwise", other)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	ns := start(t, Config{Seed: 5, History: History{MaxMessages: 10}})
	var want [][]byte
	for i := range 50 {
		kind := dataapi.Uplink
		if i%3 == 0 {
			kind = dataapi.Location
		}
		want = append(want, emit(t, ns, Order{Type: kind}).Raw)
	}
	sameMessages(t, "the last ten", replayed(t, ns, "types=uplink,location&from_unixtime=0"), want[40:])
	if n := len(ns.history.long) + len(ns.history.short); n != 10 {
		t.Errorf("%d messages are kept", n)
	}
}

// The client does not read until live messages wait next to those from history; pipes have no buffer.
func TestReplayIsInterleavedWithLiveMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{Seed: 6})
		old := emitN(t, ns, dataapi.Uplink, 500)
		c := dialUnread(t, ns, p, "from_unixtime=0")
		synctest.Wait() // the first batch is in the pipe
		fresh := emitN(t, ns, dataapi.Uplink, 100)
		go c.read()
		var history, live [][]byte
		changes, last := 0, true
		for _, f := range c.nextN(t, 600) {
			isHistory := read(t, f).Meta["history"] == true
			if isHistory != last {
				changes++
			}
			last = isHistory
			if isHistory {
				history = append(history, f)
			} else {
				live = append(live, f)
			}
		}
		sameMessages(t, "replayed", history, raws(old))
		sameMessages(t, "live", live, raws(fresh))
		if changes < 20 {
			t.Errorf("history and live took turns %d times only", changes)
		}
	})
}

func TestReplayDelayAndRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{History: History{ReplayDelay: 2 * time.Second, ReplayRate: 10}})
		old := emitN(t, ns, dataapi.Uplink, 21)
		c := dial(t, ns, p, "from_unixtime=0")
		live := emit(t, ns, Order{})
		time.Sleep(2*time.Second - 1)
		synctest.Wait()
		if got := c.pending(); len(got) != 1 || !bytes.Equal(got[0], live.Raw) {
			t.Fatalf("before the delay is over %d frames came", len(got))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := c.pending(); len(got) != 10 {
			t.Fatalf("in the first second of replay %d frames came, want 10", len(got))
		}
		time.Sleep(time.Second + 1)
		synctest.Wait()
		if got := c.pending(); len(got) != 11 || canonical(t, got[10]) != canonical(t, old[20].Raw) {
			t.Fatalf("after two seconds of replay %d frames more came, want 11", len(got))
		}
	})
}

func TestOverlapBringsTheMessagesOfTheDelayTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ns, p := startPiped(t, Config{History: History{ReplayDelay: time.Second, Overlap: true}})
		before := emit(t, ns, Order{})
		c := dial(t, ns, p, "from_unixtime=0")
		during := emit(t, ns, Order{})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		sameMessages(t, "overlapping", c.pending(), raws([]Message{during, before, during}))
	})
}
