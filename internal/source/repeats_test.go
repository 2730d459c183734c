package source_test

import (
	"fmt"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/source"
)

func TestRepeatsKnowsAMessageFromHistory(t *testing.T) {
	r := source.NewRepeats(10)
	live := `{"type":"uplink","meta":{"device":"a","time":1.5},"params":{"port":1}}`
	replayed := `{"meta":{"time":1.5,"history":true,"device":"a"}, "type":"uplink", "params":{"port":1}}`
	other := `{"meta":{"time":1.5,"history":true,"device":"a"}, "type":"uplink", "params":{"port":2}}`
	for _, c := range []struct {
		raw  string
		seen bool
	}{{live, false}, {replayed, true}, {live, true}, {other, false}, {"no json", false}, {"no json", false}} {
		if got := r.Seen([]byte(c.raw)); got != c.seen {
			t.Errorf("seen %v, want %v: %s", got, c.seen, c.raw)
		}
	}
}

func TestRepeatsForgetsTheOldestFirst(t *testing.T) {
	r := source.NewRepeats(3)
	message := func(n int) []byte { return fmt.Appendf(nil, `{"type":"info","params":%d}`, n) }
	for n := range 5 {
		r.Seen(message(n))
	}
	for n, want := range []bool{false, false, true, true, true} {
		if n < 2 {
			continue // asking would make it remembered anew
		}
		if got := r.Seen(message(n)); got != want {
			t.Errorf("message %d seen: %v, want %v", n, got, want)
		}
	}
	if r.Seen(message(0)) {
		t.Error("the oldest is still known: the memory is not bounded")
	}
}
