package echo_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/internal/echo"
)

var epoch = time.Unix(1_500_000_000, 0)

// watched plays messages at the given seconds to a Watch that is looked at as it wants to be, for two minutes more,
// and returns its findings with the second of each.
func watched(seconds ...float64) (findings []string) {
	var w echo.Watch
	var due time.Time // zero: no look is wanted
	look := func() {
		found, again := w.Look(due)
		if found.Kind != echo.Nothing {
			kind := [...]string{"", "begun", "risen", "over"}[found.Kind]
			findings = append(findings, fmt.Sprintf("%v %s %.3g %s %d", due.Sub(epoch).Seconds(), kind, found.PerSecond, found.Topic, found.Messages))
		}
		due = due.Add(echo.Window)
		if !again {
			due = time.Time{}
		}
	}
	for i, s := range seconds {
		at := epoch.Add(time.Duration(s * float64(time.Second)))
		for !due.IsZero() && !due.After(at) {
			look()
		}
		if w.Note(at, fmt.Sprint("t", i)) {
			due = at.Add(echo.Window)
		}
	}
	for end := epoch.Add(time.Duration((seconds[len(seconds)-1] + 120) * float64(time.Second))); !due.IsZero() && due.Before(end); {
		look()
	}
	if !due.IsZero() {
		findings = append(findings, "still watching")
	}
	return findings
}

// stream is the times of messages from begin to end, so many a second.
func stream(begin, end, perSecond float64) (seconds []float64) {
	for i := 0; begin+float64(i)/perSecond < end; i++ {
		seconds = append(seconds, begin+float64(i)/perSecond)
	}
	return seconds
}

func TestWatch(t *testing.T) {
	for name, c := range map[string]struct {
		seconds []float64
		want    []string
	}{
		"one slip":               {[]float64{0}, nil},
		"two at once":            {[]float64{0, 0}, nil},
		"two in a minute, often": {[]float64{0, 30, 61, 91, 122, 152}, nil},
		"three at once":          {[]float64{0, 0, 0}, []string{"5 begun 0.6 t2 3", "60 over 0.6 t2 3"}},
		"three in a minute":      {[]float64{0, 25, 50}, []string{"55 begun 0.0545 t2 3", "110 over 0.0545 t2 3"}},
		"an even stream, once":   {stream(0, 300, 10), []string{"5 begun 10 t49 50", "360 over 10 t2999 3000"}},
		"a slow stream, once":    {stream(0, 300, 0.1), []string{"25 begun 0.12 t2 3", "350 over 0.12 t29 30"}},
		"a pause is no end": {
			slices.Concat(stream(0, 10, 10), stream(60, 70, 10)), []string{"5 begun 10 t49 50", "130 over 10 t199 200"},
		},
		"an end and another": {
			slices.Concat(stream(0, 10, 10), stream(100, 110, 10)),
			[]string{"5 begun 10 t49 50", "70 over 10 t99 100", "105 begun 10 t149 50", "170 over 10 t199 100"},
		},
		"half as much again is no rise": {
			slices.Concat(stream(0, 10, 10), stream(10, 20, 15)), []string{"5 begun 10 t49 50", "80 over 10 t249 250"},
		},
		"rises": {
			slices.Concat(stream(0, 10, 10), stream(10, 20, 20), stream(20, 30, 100)),
			[]string{"5 begun 10 t49 50", "15 risen 20 t199 200", "25 risen 100 t799 800", "90 over 100 t1299 1300"},
		},
		"a fall and a return are no rise": {
			slices.Concat(stream(0, 10, 100), stream(10, 20, 10), stream(20, 30, 100)),
			[]string{"5 begun 100 t499 500", "90 over 100 t2099 2100"},
		},
		"too few to be a rise": {
			slices.Concat(stream(0, 50, 0.1), []float64{51, 51}), []string{"25 begun 0.12 t2 3", "115 over 0.12 t6 7"},
		},
	} {
		if got := watched(c.seconds...); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
}

// A look that comes late, as on a busy machine, makes no rate larger than it is.
func TestALateLook(t *testing.T) {
	var w echo.Watch
	for i := range 400 {
		w.Note(epoch.Add(time.Duration(i)*100*time.Millisecond), "t")
	}
	if found, again := w.Look(epoch.Add(40 * time.Second)); found.Kind != echo.Begun || found.PerSecond != 10 || !again {
		t.Errorf("found %+v, look again: %t", found, again)
	}
}

func TestALookAtNothing(t *testing.T) {
	var w echo.Watch
	if found, again := w.Look(epoch); found != (echo.Finding{}) || again {
		t.Errorf("found %+v, look again: %t", found, again)
	}
}

// Whatever comes, an echo begins before it rises, is over once, and is not reported more often than its rate doubles.
func TestFindingsAreInOrderAndFew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var seconds []float64
		at := 0.0
		for range rapid.IntRange(1, 12).Draw(t, "stretches") {
			perSecond := rapid.SampledFrom([]float64{0.01, 0.05, 0.3, 1, 5, 30}).Draw(t, "rate")
			end := at + float64(rapid.IntRange(1, 90).Draw(t, "seconds"))
			seconds = append(seconds, stream(at, end, perSecond)...)
			at = end
		}
		began, rises := false, 0
		for _, f := range watched(seconds...) {
			var second, rate float64
			var kind string
			if _, err := fmt.Sscan(f, &second, &kind, &rate); err != nil {
				t.Fatalf("%q: %v", f, err)
			}
			if began == (kind == "begun") {
				t.Fatalf("%q out of order", f)
			}
			switch kind {
			case "begun":
				began, rises = true, 0
			case "risen":
				if rises++; rises > 10 { // from 0.05 a second, the least there is, to 30 are fewer than ten doublings
					t.Fatalf("%d rises", rises)
				}
			case "over":
				began = false
			}
		}
		if began {
			t.Fatal("an echo that is never over")
		}
	})
}
