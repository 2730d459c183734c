package soak

import (
	"io"
	"strings"
	"testing"
	"time"
)

// newTimeline is one of faults that are over.
func newTimeline(entries ...entry) *timeline {
	return &timeline{start: time.Now(), out: io.Discard, entries: entries}
}

func outage(class Class, from, to time.Duration) entry {
	return entry{Fault: Fault{Place: Place{Class: class}, Kind: Kill}, during: span{from, to}}
}

func TestTimelineNamesWhatWasOn(t *testing.T) {
	tl := newTimeline(outage(Broker, 1*second, 2*second), outage(NATS, 5*second, 0))
	for at, want := range map[time.Duration]string{
		ms:           "none",
		1500 * ms:    "broker: kill -9 (1.000s)",
		2500 * ms:    "broker: kill -9 (1.000s)", // it lingers for a second
		4 * second:   "none",
		100 * second: "NATS server: kill -9 (5.000s)", // it lasts
	} {
		if got := tl.at(at); got != want {
			t.Errorf("at %v: %s, want %s", at, got, want)
		}
	}
}

func TestTimelineWritesAsItHappens(t *testing.T) {
	var out strings.Builder
	tl := &timeline{start: time.Now(), out: &out}
	tl.begin(Fault{Place: Place{Lorry, ""}, Kind: Kill, For: second})()
	tl.begin(Fault{Place: Place{BrokerWire, "mochi"}, Kind: Cut})()
	for _, want := range []string{"lorry: kill -9\n", "lorry: kill -9 is over\n", "wire to the broker of mochi: cut\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
	if strings.Count(out.String(), "\n") != 3 || len(tl.all()) != 2 {
		t.Errorf("%s%+v", &out, tl.all())
	}
}

// TestForgotten: a crash takes along what was before it for a while, and what was before an outage of the NATS server that
// came shortly before it.
func TestForgotten(t *testing.T) {
	for name, c := range map[string]struct {
		entries []entry
		want    span
	}{
		"nothing else":           {nil, span{97 * second, 100 * second}},
		"another's fault":        {[]entry{outage(Broker, 90*second, 99*second)}, span{97 * second, 100 * second}},
		"NATS long before":       {[]entry{outage(NATS, 90*second, 95*second)}, span{97 * second, 100 * second}},
		"NATS before":            {[]entry{outage(NATS, 90*second, 98*second)}, span{87 * second, 100 * second}},
		"NATS at the same time":  {[]entry{outage(NATS, 98*second, 0)}, span{95 * second, 100 * second}},
		"NATS again before that": {[]entry{outage(NATS, 80*second, 94*second), outage(NATS, 98*second, 0)}, span{77 * second, 100 * second}},
	} {
		s := &stage{timeline: newTimeline(c.entries...)}
		if got := s.forgotten(span{100 * second, 100 * second}); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
