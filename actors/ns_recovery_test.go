package actors

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/messages"
)

func withHistory(s *connection.Spec) { s.Source.HistoryURL = "https://127.0.0.1/api/v1.0/history/data" }

// reasons are why there are gaps, in their order.
func reasons(gaps []buffer.Gap) (out []string) {
	for _, g := range gaps {
		out = append(out, g.Reason)
	}
	return out
}

// absence has the Network Server send a frame, so many hours ago, then stops the tree and has it send three each hour
// since. Hours that only pass would be long: the NATS server is at work in every second of them.
func (st *treeStage) absence(id string, hours int) (newest time.Time) {
	e := st.at(id)
	send := func(ago, frames int) {
		e.ns.change(func(n *fakeNS) { n.ago = time.Duration(ago) * time.Hour })
		e.ns.send(frames)
	}
	send(hours, 1)
	newest = time.Now().Add(-time.Duration(hours) * time.Hour)
	synctest.Wait()
	st.stop(time.Second)
	for ago := hours - 1; ago > 0; ago-- {
		send(ago, 3)
	}
	e.ns.change(func(n *fakeNS) { n.ago = 0 })
	advance(time.Minute)
	st.start()
	return newest
}

func TestWhatIsRecoveredFromWhere(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for _, c := range []struct {
		ago     time.Duration
		history bool
		from    time.Duration // ago; 0: nothing from the REST history
		gaps    []string
	}{
		{time.Second, false, 0, nil},
		{57 * time.Minute, true, 0, nil},
		{59 * time.Minute, true, 0, []string{gapTypeNotKept}}, // a clock that differs by a minute would have it beyond the hour
		{47 * time.Hour, false, 0, []string{gapTypeNotKept}},
		{3 * day, false, 0, []string{gapTypeNotKept, gapNoHistory}},
		{3 * day, true, 3 * day, []string{gapTypeNotKept}},
		{48 * time.Hour, true, 48 * time.Hour, []string{gapTypeNotKept}},
		{31 * day, true, 30*day + clockSkew, []string{gapTypeNotKept, gapTooOld}},
		{31 * day, false, 0, []string{gapTypeNotKept, gapNoHistory}},
	} {
		r := recoverSince(now.Add(-c.ago), now, c.history)
		from := time.Duration(0)
		if !r.from.IsZero() {
			from = now.Sub(r.from)
			if r.to != now.Add(clockSkew-keptLong) {
				t.Errorf("%v ago: read up to %v", c.ago, r.to)
			}
		}
		if from != c.from || !slices.Equal(reasons(r.gaps), c.gaps) {
			t.Errorf("%v ago, history %t: from %v ago, gaps %v; want %+v", c.ago, c.history, from, r.gaps, c)
		}
		for _, g := range r.gaps {
			if g.Since != now.Add(-c.ago) || !g.Until.After(g.Since) || g.Types == "" || g.ClosedAt != nil {
				t.Errorf("%v ago: gap %+v", c.ago, g)
			}
		}
	}
}

// After days, what the Data API keeps no longer comes from the REST history, while live frames flow, however often
// that fails, and over a restart.
func TestReaderFetchesFromTheRESTHistory(t *testing.T) {
	for _, c := range []struct {
		name    string
		restart bool
	}{{"in one process", false}, {"over a restart", true}} {
		t.Run(c.name, quietly(func(t *testing.T) {
			st := newTreeStage(t, nil)
			e := st.put("acme", withHistory)
			e.ns.change(func(n *fakeNS) { n.keeps = keptLong })
			e.ns.change(func(n *fakeNS) { n.rest.fault, n.rest.before = errors.New("HTTP status 503"), 100 })
			st.absence("acme", 120)
			st.put("acme", withHistory)
			advance(2 * time.Minute)
			e.ns.send(5) // live
			synctest.Wait()
			s := st.status("acme")
			if got := len(e.broker.payloads()); got < 1+100+47*3+5 || s.Source.LastError != "HTTP status 503" || s.Source.State != messages.SourceReplaying {
				t.Errorf("%d frames were delivered while the history failed, status %+v", got, s)
			}
			advance(10 * time.Minute)
			if s := st.status("acme").Source.State; s != messages.SourceReplaying {
				t.Errorf("the source is %s although the history was not read", s)
			}
			if c.restart {
				st.stop(time.Second)
				e.ns.send(5)
				advance(time.Minute)
				st.start()
				st.put("acme", withHistory)
			}
			e.ns.change(func(n *fakeNS) { n.rest.fault = nil })
			advance(5 * time.Minute)
			e.ns.send(5)
			st.completeInAnyOrder("acme")
			if s := st.status("acme"); s.Source.State != messages.SourceStreaming || s.Source.LastError != "" || !slices.Equal(reasons(s.Gaps), []string{gapTypeNotKept}) {
				t.Errorf("status %+v", s)
			}
			asked := len(e.ns.askedHistory())
			e.ns.away()
			e.ns.back()
			advance(5 * time.Minute)
			if n := len(e.ns.askedHistory()); n != asked {
				t.Errorf("the history was read again %d times", n-asked)
			}
		}))
	}
}

// A session that ends meanwhile does not have the REST history begin anew.
func TestReaderGoesOnWithTheRESTHistoryInTheNextSession(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", withHistory)
		e.ns.change(func(n *fakeNS) { n.keeps = keptLong })
		e.ns.change(func(n *fakeNS) { n.rest.fault, n.rest.before = errors.New("no"), 60 })
		st.absence("acme", 24*5)
		st.put("acme", withHistory)
		for range 3 {
			e.ns.away()
			e.ns.back()
			advance(time.Minute)
		}
		e.ns.change(func(n *fakeNS) { n.rest.fault = nil })
		advance(time.Minute)
		st.completeInAnyOrder("acme")
		asked := e.ns.askedHistory()
		if first, last := asked[0][0], asked[len(asked)-1][0]; last.Sub(first) < 24*time.Hour {
			t.Errorf("read from %v, at last from %v", first, last)
		}
	})
}

// What nobody keeps is reported once, also over a restart.
func TestReaderReportsWhatIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*connection.Spec)
		hours  int
		want   []string
	}{
		"for hours":                 {nil, 3, []string{gapTypeNotKept}},
		"for days":                  {nil, 24 * 5, []string{gapTypeNotKept, gapNoHistory}},
		"for days, with a history":  {withHistory, 24 * 5, []string{gapTypeNotKept}},
		"for weeks, with a history": {withHistory, 24 * 35, []string{gapTypeNotKept, gapTooOld}},
	} {
		t.Run(name, quietly(func(t *testing.T) {
			st := newTreeStage(t, nil)
			e := st.put("acme", c.change)
			newest := st.absence("acme", c.hours)
			st.put("acme", c.change)
			advance(time.Minute)
			check := func(logged int) {
				t.Helper()
				gaps := st.status("acme").Gaps
				if !slices.Equal(reasons(gaps), c.want) {
					t.Fatalf("gaps %+v, want %v", gaps, c.want)
				}
				for _, g := range gaps {
					if !g.Since.Equal(newest.Add(-time.Minute)) || !g.Until.After(g.Since) {
						t.Errorf("gap %+v, want it to begin a minute before %v", g, newest)
					}
				}
				if n := len(st.log.with("frames of some time are missing")); n != logged {
					t.Errorf("%d gaps were logged, want %d", n, logged)
				}
			}
			check(len(c.want))
			counters := st.deps.Metrics.Connection("acme")
			for _, reason := range c.want {
				if counters.Gaps.Load(reason) != 1 || counters.GapSeconds.Load(reason) == 0 {
					t.Errorf("%s: %d gaps, %d s", reason, counters.Gaps.Load(reason), counters.GapSeconds.Load(reason))
				}
			}
			e.ns.away() // before the replay is through
			advance(time.Minute)
			e.ns.back()
			advance(time.Minute)
			check(len(c.want))
			st.stop(time.Second)
			advance(time.Minute)
			st.start()
			st.put("acme", c.change)
			advance(10 * time.Minute)
			check(len(c.want))
		}))
	}
}

// A connection whose devices say nothing for days has missed nothing when its session is begun again.
func TestReaderOfAQuietConnectionHasMissedNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", withHistory)
		e.ns.send(3)
		advance(70 * time.Minute)
		e.ns.away()
		advance(10 * time.Second)
		e.ns.back()
		advance(70 * time.Minute)
		st.stop(time.Second)
		advance(time.Minute)
		st.start()
		st.put("acme", withHistory)
		advance(10 * time.Minute)
		if gaps, asked := st.status("acme").Gaps, e.ns.askedHistory(); len(gaps) > 0 || len(asked) > 0 {
			t.Errorf("gaps %+v, asked the history for %v", gaps, asked)
		}
		if s := st.status("acme").Source.State; s != messages.SourceStreaming {
			t.Errorf("the source is %s", s)
		}
		e.ns.send(3)
		st.complete("acme", 0)
	})
}

func TestTheReplayMarginIsTheConnections(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", func(s *connection.Spec) { s.Source.ReplayMargin = connection.Duration(7 * time.Second) })
		e.ns.send(3)
		synctest.Wait()
		newest := time.Now()
		advance(10 * time.Second)
		e.ns.away()
		e.ns.back()
		advance(time.Minute)
		if from := e.ns.current().options.From; !from.Equal(newest.Add(-7 * time.Second)) {
			t.Errorf("it asks for history from %v, the newest is of %v", from, newest)
		}
	})
}
