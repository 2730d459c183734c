package eventlog

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestTheLastAreKeptInOrder(t *testing.T) {
	for _, added := range []uint64{0, 1, Kept - 1, Kept, Kept + 1, 3*Kept + 7} {
		l := New()
		for range added {
			l.Add("acme", Event{Kind: StateChanged})
		}
		got := l.Last("acme")
		if want := min(added, Kept); uint64(len(got)) != want {
			t.Fatalf("%d added, %d kept", added, len(got))
		}
		for i, e := range got {
			if want := added - uint64(len(got)) + uint64(i) + 1; e.Number != want || e.Time.IsZero() {
				t.Fatalf("%d added: event %d is %+v, want number %d", added, i, e, want)
			}
		}
		if other := l.Last("other"); len(other) != 0 {
			t.Fatalf("another connection has %v", other)
		}
	}
}

func TestLastError(t *testing.T) {
	l := New()
	if got := l.LastError("acme"); got != "" {
		t.Errorf("of none %q", got)
	}
	for i := range 2*Kept + 3 {
		l.Add("acme", Event{Error: fmt.Sprint(i)})
		if got := l.LastError("acme"); got != fmt.Sprint(i) {
			t.Fatalf("after %d it is %q", i, got)
		}
	}
	l.Add("acme", Event{})
	if got := l.LastError("acme"); got != fmt.Sprint(2*Kept+2) {
		t.Errorf("behind an event without one it is %q", got)
	}
}

func TestAFollowerMissesNothing(t *testing.T) {
	l := New()
	l.Add("acme", Event{Message: "before"})
	past, live, stop := l.Follow("acme")
	l.Add("acme", Event{Message: "after"})
	if len(past) != 1 || past[0].Message != "before" {
		t.Errorf("past %v", past)
	}
	if e := <-live; e.Message != "after" || e.Number != 2 {
		t.Errorf("live %+v", e)
	}
	stop()
	l.Add("acme", Event{Message: "later"})
	select {
	case e := <-live:
		t.Errorf("after the end %+v", e)
	default:
	}
}

func TestASlowFollowerIsDropped(t *testing.T) {
	l := New()
	_, slow, stop := l.Follow("acme")
	for range pending + 1 { // nobody reads, and nobody waits
		l.Add("acme", Event{})
	}
	read := 0
	for range slow { // ends
		read++
	}
	if read != pending {
		t.Errorf("%d events reached it, want %d", read, pending)
	}
	stop() // is no harm
}

func TestAConnectionThatIsForgottenEndsItsFollowers(t *testing.T) {
	l := New()
	l.Add("acme", Event{})
	_, live, stop := l.Follow("acme")
	l.Forget("acme")
	if _, open := <-live; open {
		t.Error("it brings something")
	}
	stop()
	if past := l.Last("acme"); len(past) != 0 {
		t.Errorf("still there: %v", past)
	}
}

// The operator's page explains every kind of event.
func TestEveryKindIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("eventlog.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`Kind += "([a-z_]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(kinds) < 10 {
		t.Fatalf("%d kinds", len(kinds))
	}
	for _, kind := range kinds {
		if !strings.Contains(string(page), "`"+kind[1]+"`") {
			t.Errorf("docs/operations.md lacks %s", kind[1])
		}
	}
}
