package report_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/bench/report"
)

func TestDocument(t *testing.T) {
	good := &report.Section{
		Name: "throughput", Text: "One connection.", Took: 62*time.Second + 40*time.Millisecond,
		Goals: []report.Goal{
			{What: "rate", Decimals: 2, Measured: figure(0.8, 0.7, 0.9), AtLeast: 0.75},
			{What: "latency", Unit: "ms", Decimals: 1, Measured: figure(0.61), AtMost: 0.5},
			{What: "lost", Measured: figure(0, 0)},
			{What: "repeated", Measured: figure(0, 2, 2)},
			{What: "memory", AtMost: 120},
		},
	}
	good.Remarkf("%d frames.", 1000)
	good.Verbatim("a  b\nc  d\n")
	good.Add(&report.Bars{File: "rates", Title: "rates"})
	bad := &report.Section{Name: "latency", Failed: errors.New("round 2: lorry: it ended by itself; the end of its output:\nno more")}
	document := report.Document{
		At: time.Date(2026, 11, 26, 8, 1, 2, 0, time.FixedZone("", 3600)), Facts: []report.Fact{{"CPU", "Example"}, {"command", "bench | tee"}},
		Warnings: []string{"The machine was not quiet."}, Sections: []*report.Section{good, bad},
	}
	file, err := document.Save(filepath.Join(t.TempDir(), "new", "results"))
	if err != nil {
		t.Fatal(err)
	}
	if got := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file); got != "2026-11-26T070102Z/report.md" {
		t.Errorf("it is in %s", got)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const want = `# lorry, 26 November 2026 07:01 UTC

**The machine was not quiet.**

- [throughput](#throughput)
- [latency](#latency): failed

## summary

| scenario   |   figure |     goal |         measured | reached |
| ---------- | -------: | -------: | ---------------: | ------: |
| throughput |     rate |   ≥ 0.75 | 0.80 (0.70–0.90) |     yes |
| throughput |  latency | ≤ 0.5 ms |           0.6 ms |      no |
| throughput |     lost |      ≤ 0 |                0 |     yes |
| throughput | repeated |      ≤ 0 |          2 (0–2) |      no |
| throughput |   memory |    ≤ 120 |     not measured |      no |

## run

- CPU: Example
- command: bench | tee

## throughput

One connection.

It took 1m2s.

1000 frames.

` + "```\na  b\nc  d\n```" + `

![rates](rates.svg)

## latency

**It failed:**

` + "```\nround 2: lorry: it ended by itself; the end of its output:\nno more\n```\n"
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(file), "rates.svg")); err != nil {
		t.Error(err)
	}
}

// TestDocumentsOfOneSecond checks that no run overwrites another's report.
func TestDocumentsOfOneSecond(t *testing.T) {
	document, dir := report.Document{At: time.Unix(1_700_000_000, 0)}, t.TempDir()
	seen := map[string]bool{}
	for range 3 {
		file, err := document.Save(dir)
		if err != nil {
			t.Fatal(err)
		}
		if seen[file] || !strings.Contains(file, "2023-11-14T221320Z") {
			t.Errorf("a report is in %s", file)
		}
		seen[file] = true
	}
}

func TestDocumentWithoutPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if saved, err := new(report.Document).Save(file); err == nil {
		t.Errorf("a report is in %s", saved)
	}
}
