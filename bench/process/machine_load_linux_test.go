package process

import (
	"errors"
	"os/exec"
	"testing"
	"time"
)

func TestParseAverage(t *testing.T) {
	if got, err := parseAverage([]byte("0.81 2.11 1.35 1/109 30289\n")); err != nil || got != 0.81 {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := parseAverage([]byte("busy\n")); err == nil {
		t.Errorf("a word is %v", got)
	}
}

func TestParseStolen(t *testing.T) {
	if got, err := parseStolen([]byte("cpu  1 2 3 1000 2000 4 5 6 7 8\n")); err != nil || got != 60*time.Millisecond {
		t.Errorf("got %v, %v", got, err)
	}
	for _, text := range []string{"cpu 1 2\n", "intr 1 2 3 4 5 6 7 8 9\n", "cpu 1 2 3 4 5 6 7 much\n"} {
		if got, err := parseStolen([]byte(text)); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func TestLoadSince(t *testing.T) {
	before := Load{at: time.Unix(1000, 0), busy: time.Minute, stolen: time.Second, own: 10 * time.Second}
	after := Load{at: time.Unix(1010, 0), busy: time.Minute + 15*time.Second, stolen: 3 * time.Second, own: 20 * time.Second}
	if others, stolen := after.Since(before); others != 0.5 || stolen != 0.2 {
		t.Errorf("others took %v cores, of which %v were stolen", others, stolen)
	}
	if others, stolen := before.Since(before); others != 0 || stolen != 0 {
		t.Errorf("in no time others took %v cores, of which %v were stolen", others, stolen)
	}
}

// TestReadLoad checks that what a program uses, which this one started, counts as its own once it has ended.
func TestReadLoad(t *testing.T) {
	before, err := ReadLoad()
	if err != nil {
		t.Fatal(err)
	}
	busy := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -t 1; while :; do :; done`)
	var ended *exec.ExitError
	if err := busy.Run(); !errors.As(err, &ended) {
		t.Fatalf("it has about a second of CPU time, and ended with %v", err)
	}
	want := ended.UserTime() + ended.SystemTime()
	after, err := ReadLoad()
	if err != nil {
		t.Fatal(err)
	}
	if used := after.own - before.own; want == 0 || used < want-tick { // the kernel rounds
		t.Errorf("%v of CPU time count as %v", want, used)
	}
}
