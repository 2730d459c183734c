package actors

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

// crowded is a model of publishers that share a crowd: each has frames to publish, and takes what it is given.
type crowded struct {
	*member
	pending int
	woken   bool
}

func (p *crowded) publish() {
	for p.pending > 0 {
		n := p.take(p.pending)
		if n == 0 {
			break
		}
		p.pending -= n
		p.work(n)
	}
	p.work(0)
}

// work notes that so many more, or fewer, are in flight.
func (p *crowded) work(more int) { p.note(p.inFlight+more, p.inFlight+more > 0 || p.pending > 0) }

func newCrowded(c *crowd) *crowded {
	p := &crowded{member: &member{crowd: c}}
	p.wake = func() { p.woken = true }
	return p
}

// In whatever order publishers get frames, PUBACKs and news, never more is in flight than may be, and in the end all is
// published.
func TestCrowd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &crowd{most: rapid.IntRange(1, 8).Draw(t, "most")}
		all := make([]*crowded, rapid.IntRange(1, 12).Draw(t, "publishers"))
		for i := range all {
			all[i] = newCrowded(c)
		}
		step := func(p *crowded, what string) {
			switch {
			case what == "wake" && p.woken:
				p.woken = false
				p.publish()
			case what == "acknowledge" && p.inFlight > 0:
				p.work(-1)
				p.publish()
			case what == "frames":
				p.pending += rapid.IntRange(1, 9).Draw(t, "frames")
				p.publish()
			case what == "lose": // the session: all of it comes again later
				p.pending = 0
				p.note(0, false)
			}
			total := 0
			for _, p := range all {
				total += p.inFlight
			}
			if total > c.most || c.inFlight < total || c.inFlight > c.most {
				t.Fatalf("%d in flight, counted as %d, of %d", total, c.inFlight, c.most)
			}
		}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			step(rapid.SampledFrom(all).Draw(t, "publisher"),
				rapid.SampledFrom([]string{"wake", "acknowledge", "frames", "frames", "lose"}).Draw(t, "what"))
		}
		for range 10_000 {
			left := 0
			for _, p := range all {
				step(p, "wake")
				step(p, "acknowledge")
				left += p.pending + p.inFlight
			}
			if left == 0 {
				if c.inFlight != 0 || c.atWork != 0 {
					t.Fatalf("nothing is left, and %d in flight, %d at work", c.inFlight, c.atWork)
				}
				return
			}
		}
		t.Fatal("publishers wait for ever")
	})
}

// Publishers with much to do share evenly, and one alone is not held back.
func TestCrowdShares(t *testing.T) {
	c := &crowd{most: 400}
	one := newCrowded(c)
	one.pending = 4000
	one.publish()
	if one.inFlight != 400 {
		t.Errorf("alone: %d in flight", one.inFlight)
	}
	all := []*crowded{one}
	for range 3 {
		p := newCrowded(c)
		p.pending = 4000
		p.publish()
		all = append(all, p)
	}
	for range 1000 {
		for _, p := range all {
			if p.woken {
				p.woken = false
				p.publish()
			}
			if p.inFlight > 0 {
				p.work(-1)
				p.publish()
			}
		}
	}
	for i, p := range all {
		if p.inFlight != 100 {
			t.Errorf("publisher %d of 4 has %d of 400 in flight", i, p.inFlight)
		}
	}
}

// Where there are too many for shares, each has a whole turn, in the order in which they came.
func TestCrowdTakesTurns(t *testing.T) {
	c := &crowd{most: 2 * wholeTurn}
	var order []int
	all := make([]*crowded, 5)
	for i := range all {
		p := newCrowded(c)
		p.pending = 3 * wholeTurn
		p.wake = func() {
			p.woken = true
			order = append(order, i)
		}
		all[i] = p
	}
	all[0].publish() // alone it takes everything
	for _, p := range all[1:] {
		p.publish()
	}
	for range 5*3 - 2 {
		for _, p := range all {
			for p.inFlight > 0 {
				p.work(-1)
				p.publish()
			}
		}
		for i, p := range all {
			if p.woken {
				p.woken = false
				if p.publish(); p.inFlight != wholeTurn {
					t.Fatalf("publisher %d has %d in flight in its turn", i, p.inFlight)
				}
			}
		}
	}
	if want := []int{1, 2, 3, 4, 0, 1, 2, 3, 4, 1, 2, 3, 4}; !slices.Equal(order, want) {
		t.Errorf("turns were taken by %v, want %v", order, want)
	}
}

// Publishers that take places while others note what they made of theirs exceed nothing, and none is forgotten: in the
// bubble that would be a deadlock.
func TestCrowdAtOnce(t *testing.T) {
	for most := range 9 {
		synctest.Test(t, func(*testing.T) {
			c := &crowd{most: most + 1}
			var all sync.WaitGroup
			var total atomic.Int64
			for range 20 {
				all.Go(func() {
					woken := make(chan struct{}, 1)
					m := &member{crowd: c, wake: func() { woken <- struct{}{} }}
					for pending := 100; pending > 0; {
						n := m.take(pending)
						if sum := total.Add(int64(n)); sum > int64(c.most) {
							t.Errorf("%d in flight of %d", sum, c.most)
						}
						m.note(n, true)
						pending -= n
						total.Add(int64(-n))
						if m.note(0, pending > 0); n == 0 {
							<-woken
						}
					}
				})
			}
			all.Wait()
		})
	}
}

// A publisher keeps to its share of what the node may have in flight, has its turn though others took all of it first, and
// gives its places back with its session.
func TestPublisherSharesWhatIsInFlight(t *testing.T) {
	quietly(func(t *testing.T) {
		const frames = 200
		st := newStage(t, frames, nil)
		c := st.shared.crowd
		other := &member{crowd: c, wake: func() {}}
		other.note(c.most, true) // before the publisher has a session
		s := st.session(0)
		if got := s.numbers(); len(got) != 0 {
			t.Fatalf("with no place free it published %v", got)
		}
		c.most = 100
		other.note(50, true)
		synctest.Wait()
		for acked := 0; acked < frames; {
			published := s.numbers()
			if have := len(published) - acked; have < 1 || have > 50 {
				t.Fatalf("%d of 100 in flight, with 50 of somebody else's", have)
			}
			s.events.Acknowledged(published[acked] << 1)
			acked++
			synctest.Wait()
		}
		ascending(t, s.numbers(), 1)
		if c.inFlight != 50 || c.atWork != 1 {
			t.Errorf("it is done, and %d are in flight, %d at work", c.inFlight, c.atWork)
		}
	})(t)
}
