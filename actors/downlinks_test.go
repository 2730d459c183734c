package actors

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source"
)

// arrive has the broker send a message on topic_down.
func (e *ends) arrive(payload string) {
	e.broker.current().events.Arrived("downstream", []byte(payload))
}

// discarded is how many downlinks of a connection were not forwarded for that reason.
func (st *treeStage) discarded(id, reason string) uint64 {
	return st.deps.Metrics.Connection(id).DownlinksDiscarded.Load(reason)
}

// claim is the n-th downlink of a test.
func claim(n int) string {
	return fmt.Sprintf(`{"type":"downlink_claim","meta":{"device":"%016x"}}`, n)
}

func TestDownlinksAreJudged(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		forwarded := []string{
			claim(1),
			"\t{ \"type\" :\n\"downlink_response\",\"params\":{\"payload\":\"220de733f4\"} }\r\n",
			`{"type":"status"}`, `{"type":"status","params":{}}`, `{"type":"status_request"}`,
			`{"type":"join_response"}`, `{"type":"teapot"}`, `{"type":17}`, `{}`, `[]`, `"x"`, `null`, `1e400`,
			`{"type":"uplink","type":"downlink_claim"}`, `{"meta":[],"type":"downlink_claim"}`,
			`{"type":"downlink_response","params":{"payload":"` + strings.Repeat("A", 200_000) + `"}}`,
		}
		notJSON := []string{"", " ", "uplink", "{", `{"type":"downlink_claim"}}`, "{\"type\":\"\xff\"}", "\x00", `{'type':'x'}`}
		var fromNS []string
		for _, kind := range []dataapi.Type{
			dataapi.Uplink, dataapi.Downlink, dataapi.DownlinkRequest, dataapi.JoinRequest, dataapi.StatusResponse,
			dataapi.Location, dataapi.Error, dataapi.Warning, dataapi.Info,
		} {
			fromNS = append(fromNS, fmt.Sprintf(`{"type":%q}`, kind), fmt.Sprintf(` {"params":{"a":1},"meta":{},"type":%q}`, kind))
		}
		fromNS = append(fromNS, `{"type":"status","params":{"battery":3}}`, `{"type":"\u0075plink"}`)
		large := `{"type":"downlink_response","params":{"payload":"` + strings.Repeat("A", 1<<20) + `"}}`
		for _, m := range slices.Concat(notJSON, forwarded, fromNS, []string{large}) {
			e.arrive(m)
		}
		synctest.Wait()
		got := e.ns.current().downlinks()
		for i := range max(len(got), len(forwarded)) {
			if i >= len(got) || i >= len(forwarded) || got[i] != forwarded[i] {
				t.Fatalf("downlink %d: %d were forwarded, want %d: %.100q", i, len(got), len(forwarded), got)
			}
		}
		for reason, want := range map[string]int{"not_json": len(notJSON), "from_ns": len(fromNS), "too_large": 1} {
			if n := st.discarded("acme", reason); n != uint64(want) {
				t.Errorf("%d discarded as %s, want %d", n, reason, want)
			}
		}
		c := st.status("acme").Counters
		all := len(forwarded) + len(notJSON) + len(fromNS) + 1
		if c.DownlinksReceived != uint64(all) || c.DownlinksForwarded != uint64(len(forwarded)) || c.DownlinksDiscarded != uint64(all-len(forwarded)) {
			t.Errorf("counters %+v", c)
		}
	})
}

func TestDownlinksWaitForTheNetworkServer(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		advance(5 * time.Second)
		e.ns.away()
		e.arrive(claim(1))
		advance(1500 * time.Millisecond) // it was dialled after 0.1 s, 0.3 s and 0.7 s, and is next after 1.5 s and a tenth
		e.arrive(claim(2))
		e.ns.back()
		advance(499 * time.Millisecond)
		if got := e.ns.current().downlinks(); !slices.Equal(got, []string{claim(1), claim(2)}) {
			t.Errorf("forwarded %q", got)
		}
		if n := st.status("acme").Counters.DownlinksDiscarded; n != 0 {
			t.Errorf("%d discarded", n)
		}
	})
}

func TestDownlinksAreDroppedAfterTheirTime(t *testing.T) {
	for _, wait := range []time.Duration{0, time.Millisecond, 2 * time.Second, time.Minute} {
		t.Run(wait.String(), quietly(func(t *testing.T) {
			st := newTreeStage(t, nil)
			e := st.put("acme", func(s *connection.Spec) { s.Downlink.MaxWait = connection.Duration(wait) })
			e.arrive(claim(0))
			synctest.Wait()
			if got := e.ns.current().downlinks(); len(got) != 1 {
				t.Fatalf("forwarded %q", got)
			}
			e.ns.away()
			synctest.Wait()
			for i := range 10 {
				e.arrive(claim(i))
				advance(wait / 10)
			}
			advance(max(0, wait*9/10-1)) // just before the time of the last
			if n := st.discarded("acme", "ns_away"); n != 9 && wait > 0 {
				t.Errorf("%d were dropped, want the 9 that are older than %v", n, wait)
			}
			advance(1)
			if n := st.discarded("acme", "ns_away"); n != 10 {
				t.Errorf("%d were dropped, want 10", n)
			}
			logged := 0.0
			for _, e := range st.log.with("downlinks dropped before the Network Server could take them") {
				if e["reason"] != "ns_away" || e["connection"] != "acme" {
					t.Errorf("logged %v", e)
				}
				logged += e["downlinks"].(float64)
			}
			if logged != 10 {
				t.Errorf("%v were logged as dropped", logged)
			}
			e.ns.back()
			advance(time.Minute)
			e.arrive(claim(1))
			synctest.Wait()
			if got := e.ns.current().downlinks(); !slices.Equal(got, []string{claim(1)}) {
				t.Errorf("forwarded %q", got)
			}
		}))
	}
}

func TestDownlinksBeyondWhatIsKeptAreDropped(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		advance(5 * time.Second)
		e.ns.away()
		synctest.Wait()
		for i := range maxWaitingDownlinks + 10 {
			e.arrive(claim(i))
		}
		synctest.Wait()
		if n := st.discarded("acme", "too_many"); n != 10 {
			t.Errorf("%d were dropped, want 10", n)
		}
		e.ns.back()
		advance(time.Second)
		if got := e.ns.current().downlinks(); len(got) != maxWaitingDownlinks || got[0] != claim(0) || got[len(got)-1] != claim(maxWaitingDownlinks-1) {
			t.Errorf("%d were forwarded", len(got))
		}
	})
}

// A write that hangs is the session's matter: what waits behind it expires, it does not, and nothing spins.
func TestDownlinksBehindOneThatHangs(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		stuck := e.ns.current()
		stuck.stick(true)
		for i := range 3 {
			e.arrive(claim(i))
		}
		advance(4 * time.Second)
		if n := st.discarded("acme", "ns_away"); n != 2 {
			t.Errorf("%d were dropped, want 2", n)
		}
		stuck.stick(false)
		e.arrive(claim(3))
		synctest.Wait()
		if got := stuck.downlinks(); !slices.Equal(got, []string{claim(0), claim(3)}) {
			t.Errorf("forwarded %q", got)
		}

		stuck.stick(true)
		e.arrive(claim(4))
		e.arrive(claim(5))
		advance(time.Second)
		e.ns.away()
		e.ns.back()
		advance(500 * time.Millisecond) // neither has been written, and both are wanted still
		if got := e.ns.current().downlinks(); !slices.Equal(got, []string{claim(4), claim(5)}) {
			t.Errorf("forwarded %q to the next session", got)
		}

		next := e.ns.current()
		next.stick(true)
		e.arrive(claim(6))
		advance(5 * time.Second)
		e.ns.away()
		advance(time.Minute)
		if n := st.discarded("acme", "ns_away"); n != 3 {
			t.Errorf("%d were dropped, want the one that was not written as well", n)
		}
	})
}

func TestDownlinksAreNotKeptOverTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		advance(5 * time.Second)
		e.ns.current().end(&source.EndedError{Reason: source.EndLost, Err: errGone})
		synctest.Wait()
		e.arrive(claim(1))
		e.arrive(claim(2))
		synctest.Wait()
		st.stop(time.Second)
		if n := st.discarded("acme", "shutdown"); n != 2 {
			t.Errorf("%d were counted as dropped", n)
		}
	})
}
