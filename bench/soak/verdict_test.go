package soak

import (
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// course builds the evidence of a connection that sent messages of one type and published what a test says.
type course struct {
	evidence
	passed map[int]int
}

// newCourse has n uplinks, sent live on one stream.
func newCourse(n int) *course {
	c := &course{evidence: evidence{maxInflight: 2}, passed: map[int]int{}}
	var live []sent
	for i := range n {
		c.messages = append(c.messages, message{kind: dataapi.Uplink, owed: true})
		live = append(live, sent{n: uint32(i + 1), stream: 1})
	}
	c.streams = [][]sent{live}
	return c
}

// publishes adds PUBLISHes on a link, all of which are acknowledged, a second apart.
func (c *course) publishes(link int, numbers ...uint32) *course {
	for _, n := range numbers {
		at := time.Duration(len(c.evidence.publishes)+1) * time.Second
		c.passed[link]++
		c.evidence.publishes = append(c.evidence.publishes, publish{n: n, link: link, at: at, acked: at, passed: at, place: c.passed[link]})
	}
	return c
}

// unacknowledged takes the last n PUBACKs back.
func (c *course) unacknowledged(n int) *course {
	all := c.evidence.publishes
	for i := range all[len(all)-n:] {
		p := &all[len(all)-n+i]
		p.acked, p.passed, p.place = 0, 0, 0
		c.passed[p.link]--
	}
	return c
}

// streamed replaces the streams.
func (c *course) streamed(streams ...[]uint32) *course {
	c.streams = nil
	for k, numbers := range streams {
		var all []sent
		for _, n := range numbers {
			all = append(all, sent{n: n, stream: uint64(k + 1), history: k > 0})
		}
		c.streams = append(c.streams, all)
	}
	return c
}

func (c *course) with(change func(c *course)) *course { change(c); return c }

// tally is a verdict in numbers.
type tally struct{ lost, damaged, foreign, disordered, requests, repeated, unexplained, excessive int }

func tallyOf(v *verdict) tally {
	return tally{
		len(v.lost), len(v.damaged), len(v.foreign), len(v.disordered), v.requests, v.repeated, len(v.unexplained), len(v.excessive),
	}
}

func TestJudgeTheWindow(t *testing.T) {
	c := newCourse(2).publishes(1, 1, 2)
	for inFlight, want := range map[int]bool{2: true, 3: false} {
		c.inFlight = inFlight
		if v := judge(&c.evidence); v.holds() != want {
			t.Errorf("%d in flight: it holds: %t", inFlight, v.holds())
		}
	}
}

func TestJudge(t *testing.T) {
	crash := func(from, to time.Duration) func(c *course) {
		return func(c *course) { c.crashes = append(c.crashes, span{from, to}) }
	}
	requests := func(numbers ...uint32) func(c *course) {
		return func(c *course) {
			for _, n := range numbers {
				c.message(n).kind = dataapi.DownlinkRequest
			}
		}
	}
	for name, c := range map[string]struct {
		course *course
		want   tally
	}{
		"as it should be":                      {newCourse(4).publishes(1, 1, 2, 3, 4), tally{}},
		"a lost frame":                         {newCourse(4).publishes(1, 1, 2, 4), tally{lost: 1}},
		"the last one lost":                    {newCourse(4).publishes(1, 1, 2, 3), tally{lost: 1}},
		"published, never acknowledged":        {newCourse(3).publishes(1, 1, 2, 3).unacknowledged(1), tally{lost: 1}},
		"not owed, not delivered":              {newCourse(2).publishes(1, 1).with(func(c *course) { c.messages[1].owed = false }), tally{}},
		"a swapped pair":                       {newCourse(4).publishes(1, 1, 3, 2, 4), tally{disordered: 1}},
		"three overtaken by one":               {newCourse(5).publishes(1, 5, 1, 2, 3, 4), tally{disordered: 4}},
		"a changed byte":                       {newCourse(2).publishes(1, 1, 2).with(func(c *course) { c.evidence.publishes[1].damage = "has other bytes" }), tally{damaged: 1}},
		"a foreign message":                    {newCourse(2).publishes(1, 1, 0, 2), tally{foreign: 1}},
		"disordered by the Network Server":     {newCourse(4).streamed([]uint32{2, 1, 4, 3}).publishes(1, 2, 1, 4, 3), tally{}},
		"put right against the Network Server": {newCourse(2).streamed([]uint32{2, 1}).publishes(1, 1, 2), tally{disordered: 1}},
		"replayed from where the stream ended": {newCourse(5).streamed([]uint32{1, 2, 3}, []uint32{2, 5, 3, 4}).publishes(1, 1, 2, 5, 3, 4), tally{}},
		"replayed, and the end came earlier":   {newCourse(4).streamed([]uint32{1, 2, 3}, []uint32{4, 2, 3}).publishes(1, 1, 2, 3, 4), tally{}},
		"back to a stream that had ended":      {newCourse(4).streamed([]uint32{1, 2}, []uint32{3, 4}).publishes(1, 1, 3, 2, 4), tally{disordered: 1}},
		"a request overtakes":                  {newCourse(4).with(requests(3)).publishes(1, 3, 1, 2, 4), tally{}},
		"two requests change places":           {newCourse(4).with(requests(2, 3)).publishes(1, 1, 3, 2, 4), tally{requests: 1}},
		"overtaken by what was never taken":    {newCourse(3).publishes(1, 1, 2, 3).unacknowledged(2).publishes(2, 2, 3), tally{repeated: 2}},
		"a session skips what was not taken":   {newCourse(3).publishes(1, 1, 2).unacknowledged(1).publishes(2, 3, 2), tally{disordered: 1, repeated: 1}},
		"repeated within a session":            {newCourse(2).publishes(1, 1, 1, 2), tally{repeated: 1, unexplained: 1}},
		"a window again after a session":       {newCourse(4).publishes(1, 1, 2, 3).publishes(2, 2, 3, 4), tally{repeated: 2}},
		"more than a window again":             {newCourse(5).publishes(1, 1, 2, 3, 4).publishes(2, 2, 3, 4, 5), tally{repeated: 3, excessive: 1}},
		"a request again, sessions later": {
			newCourse(3).with(requests(2)).publishes(1, 1, 2).unacknowledged(2).publishes(2, 1, 3).unacknowledged(2).publishes(3, 1, 3, 2),
			tally{repeated: 4},
		},
		"again from long ago":                   {newCourse(9).publishes(1, 1, 2, 3, 4, 5, 6, 7, 8).publishes(2, 1, 9), tally{repeated: 1, unexplained: 1}},
		"again after a crash":                   {newCourse(9).publishes(1, 1, 2, 3, 4, 5, 6, 7, 8).with(crash(3*second, 8*second)).publishes(2, 3, 4, 5, 6, 7, 8, 9), tally{repeated: 6}},
		"more than a crash explains":            {newCourse(9).publishes(1, 1, 2, 3, 4, 5, 6, 7, 8).with(crash(3*second, 8*second)).publishes(2, 2, 3, 4, 5, 6, 7, 8, 9), tally{repeated: 7, unexplained: 1}},
		"before the crash that would excuse it": {newCourse(9).publishes(1, 1, 2, 3, 4, 5, 6, 7, 8).publishes(2, 1, 9).with(crash(20*second, 21*second)), tally{repeated: 1, unexplained: 1}},
		"late from a wire that was stuck":       {newCourse(3).publishes(2, 1, 2).publishes(1, 1, 2).publishes(2, 3), tally{repeated: 2}},
		"sent twice by the Network Server":      {newCourse(2).publishes(1, 1, 2, 2).with(func(c *course) { c.streams[0] = append(c.streams[0], sent{n: 2, repeat: true}) }), tally{repeated: 1}},
		"sent twice, both again after a session": {
			newCourse(2).publishes(1, 1, 2, 2).publishes(2, 2, 2).with(func(c *course) { c.streams[0] = append(c.streams[0], sent{n: 2, repeat: true}) }),
			tally{repeated: 3},
		},
		"sent twice, published three times": {newCourse(2).publishes(1, 1, 2, 2, 2).with(func(c *course) { c.streams[0] = append(c.streams[0], sent{n: 2, repeat: true}) }), tally{repeated: 2, unexplained: 1}},
	} {
		v := judge(&c.course.evidence)
		if got := tallyOf(&v); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		c.want.requests, c.want.repeated = 0, 0
		if v.holds() != (c.want == tally{}) {
			t.Errorf("%s: it holds: %t", name, v.holds())
		}
		if v.repeated-len(v.unexplained) > v.bound && len(v.excessive) == 0 {
			t.Errorf("%s: %d repeats, of which %d without a reason, are beyond the bound of %d", name, v.repeated, len(v.unexplained), v.bound)
		}
	}
}
