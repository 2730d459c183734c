package process

import (
	"testing"
	"time"
)

const (
	stat   = "4711 (a) b (c)) S 1 4711 4711 0 -1 4194560 100 0 0 0 250 31 7 9 20 0 8 0 1234 1000 200\n"
	status = "Name:\ta\nVmPeak:\t  900 kB\nVmHWM:\t   44 kB\nVmRSS:\t   40 kB\nThreads:\t8\n"
)

func TestParseUsage(t *testing.T) {
	got, err := parseUsage([]byte(stat), []byte(status))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Usage{CPU: 2810 * time.Millisecond, Resident: 40 << 10, MaxResident: 44 << 10}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for name, files := range map[string][2]string{
		"too few fields":      {"1 (a) S 1 2", status},
		"no number":           {"1 (a) S 1 2 3 4 5 6 7 8 9 10 x 31 7 9", status},
		"a process that ends": {stat, "Name:\ta\nState:\tZ\n"},
	} {
		if u, err := parseUsage([]byte(files[0]), []byte(files[1])); err == nil {
			t.Errorf("%s: got %+v", name, u)
		}
	}
}

func TestParseBusy(t *testing.T) {
	got, err := parseBusy([]byte("cpu  1 2 3 1000 2000 4 5 6 7 8\ncpu0 1 2 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := 210 * time.Millisecond; got != want { // user nice system, not idle iowait, irq softirq steal, not guest
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := parseBusy([]byte("intr 1 2 3 4 5 6 7 8 9\n")); err == nil {
		t.Error("a file without the sum was accepted")
	}
}

// TestUsage looks at a program that is busy until it has used some time.
func TestUsage(t *testing.T) {
	p, err := Start(t.Context(), t.TempDir(), "sh", "sh", "-c", "while :; do :; done")
	if err != nil {
		t.Fatal(err)
	}
	for u := (Usage{}); u.CPU < 5*tick; {
		if u, err = p.Usage(); err != nil {
			t.Fatal(err)
		}
		if u.Resident <= 0 || u.MaxResident < u.Resident {
			t.Fatalf("resident memory %+v", u)
		}
	}
	if err := p.Stop(); err == nil {
		t.Error("a shell has no reason to end with status 0 on SIGTERM")
	}
	if _, err := p.Usage(); err == nil {
		t.Error("a process that is no more uses something")
	}
}
