package soak

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// timeline is what happened when, as it happened and not as it was planned.
type timeline struct {
	start time.Time
	out   io.Writer

	mu      sync.Mutex
	entries []entry
}

// entry is one fault.
type entry struct {
	Fault
	during span // to: 0 while it lasts
}

// begin notes a fault, and returns what notes its end.
func (t *timeline) begin(f Fault) (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, now := len(t.entries), time.Since(t.start)
	t.entries = append(t.entries, entry{Fault: f, during: span{from: now}})
	t.say(now, "%s: %s", f.Place, f)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		now := time.Since(t.start)
		t.entries[i].during.to = now
		if f.For > 0 {
			t.say(now, "%s: %s is over", f.Place, f.Kind)
		}
	}
}

// note writes a line of progress.
func (t *timeline) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.say(time.Since(t.start), format, args...)
}

func (t *timeline) say(at time.Duration, format string, args ...any) {
	fmt.Fprintf(t.out, "%8.3fs  %s\n", at.Seconds(), fmt.Sprintf(format, args...)) //nolint:errcheck // there is nowhere else to say it
}

// at names the faults that there were at a time, or shortly before.
func (t *timeline) at(when time.Duration) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var on []string
	for _, e := range t.entries {
		if e.during.from <= when && (e.during.to == 0 || when <= e.during.to+second) {
			on = append(on, fmt.Sprintf("%s: %s (%.3fs)", e.Place, e.Fault, e.during.from.Seconds()))
		}
	}
	if len(on) == 0 {
		return "none"
	}
	return strings.Join(on, "; ")
}

// all are the faults so far, in the order of their beginning.
func (t *timeline) all() []entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]entry(nil), t.entries...)
}

// during tells whether faults of the class overlapped a stretch of time, and when the first of them began.
func (t *timeline) during(class Class, stretch span) (first time.Duration, overlapped bool) {
	first = stretch.to
	for _, e := range t.all() {
		if e.Place.Class == class && e.during.from <= stretch.to && (e.during.to == 0 || stretch.from <= e.during.to+second) {
			first, overlapped = min(first, e.during.from), true
		}
	}
	return first, overlapped
}
