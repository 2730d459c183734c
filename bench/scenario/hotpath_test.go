package scenario

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/bench/report"
)

// stepTest is a package's benchmark that makes so many allocations.
const stepTest = `package step

import "testing"

var kept [10]*int

func BenchmarkRoute(b *testing.B) {
	b.Run("100", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i := range %d {
				kept[i] = new(int)
			}
		}
	})
}
`

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func gitOutput(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=test", "-c", "user.email=test@example.com"}, args...)...)
	cmd.Dir = dir
	said, err := output(cmd)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// changedModule makes a module whose benchmark made 3 allocations when it was committed, and now makes 1. A second package
// is new. It returns the commit.
func changedModule(t *testing.T) (dir, commit string) {
	t.Helper()
	dir = t.TempDir()
	write(t, dir+"/go.mod", "module example.com/step\n\ngo 1.26\n")
	write(t, dir+"/step/step_test.go", fmt.Sprintf(stepTest, 3))
	gitOutput(t, dir, "init", "--quiet")
	gitOutput(t, dir, "add", ".")
	gitOutput(t, dir, "commit", "--quiet", "--message", "first")
	write(t, dir+"/step/step_test.go", fmt.Sprintf(stepTest, 1))
	write(t, dir+"/more/more_test.go", strings.ReplaceAll(fmt.Sprintf(stepTest, 0), "Route", "More"))
	return dir, strings.TrimSpace(gitOutput(t, dir, "rev-parse", "HEAD"))
}

func stepSuites() []suite { return []suite{{"step", ".", "10x"}, {"more", "^BenchmarkMore$", "10x"}} }

// written is a section as the report has it.
func written(t *testing.T, section *report.Section) string {
	t.Helper()
	section.Name = "hotpath"
	document := report.Document{Sections: []*report.Section{section}}
	file, err := document.Save(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestGoBenchmarksOfTwo compares a change with what was before it, in a module of its own, with benchstat.
func TestGoBenchmarksOfTwo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir, commit := changedModule(t)
	var progress strings.Builder
	h := &goBenchmarks{root: dir, suites: stepSuites(), base: "HEAD", samples: 4, progress: &progress}
	section, err := h.run(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	text := written(t, section)
	for _, want := range []string{
		commit[:12], "vs base", "Route/100", "More/100", "allocs/op", "-66.67% (p=0.029 n=4)", commit[:12] + " has no benchmarks in more.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	for i, want := range []float64{3, 1} {
		got, err := h.sides[i].values("BenchmarkRoute/100", "allocs/op")
		if err != nil || !slices.Equal(got, slices.Repeat([]float64{want}, 4)) {
			t.Errorf("%s allocates %v, %v; want %v in each of 4 samples", h.sides[i].name, got, err, want)
		}
	}
	if trees := gitOutput(t, dir, "worktree", "list"); strings.Count(trees, "\n") != 1 {
		t.Errorf("it left a work tree:\n%s", trees)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("it left %v: %v", left, err)
	}
}

func TestGoBenchmarksOfOne(t *testing.T) {
	dir, _ := changedModule(t)
	h := &goBenchmarks{root: dir, suites: stepSuites(), samples: 2, progress: new(strings.Builder)}
	section, err := h.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if text := written(t, section); !strings.Contains(text, "Route/100") || strings.Contains(text, "vs base") {
		t.Errorf("got\n%s", text)
	}
	if got, err := h.current().values("BenchmarkElsewhere", "ns/op"); err == nil {
		t.Errorf("a benchmark that there is not took %v", got)
	}
}

// TestGoBenchmarksFail checks that an error says what was built or run, and has its output.
func TestGoBenchmarksFail(t *testing.T) {
	for name, c := range map[string]struct {
		base, test string
		want       []string
	}{
		"no such revision": {"nowhere", fmt.Sprintf(stepTest, 1), []string{`find the revision "nowhere"`}},
		"an option":        {"--help", fmt.Sprintf(stepTest, 1), []string{`find the revision "--help"`}},
		"does not build":   {"", "package step\n\nvar x int = false\n", []string{"build the benchmarks of now", "step_test.go:3"}},
		"fails": {
			"", "package step\n\nimport \"testing\"\n\nfunc BenchmarkX(b *testing.B) { b.Fatal(\"broken\") }\n",
			[]string{"run the benchmarks in step of now", "broken"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := changedModule(t)
			write(t, dir+"/step/step_test.go", c.test)
			h := &goBenchmarks{root: dir, suites: stepSuites(), base: c.base, samples: 1, progress: new(strings.Builder)}
			_, err := h.run(t.Context())
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %s", err, want)
				}
			}
		})
	}
}

// TestGoBenchmarksInterrupted checks that the work tree goes also then.
func TestGoBenchmarksInterrupted(t *testing.T) {
	dir, _ := changedModule(t)
	ctx, interrupt := context.WithCancel(t.Context())
	h := &goBenchmarks{root: dir, suites: stepSuites(), base: "HEAD", samples: 1000, progress: writerFunc(func(line string) {
		if strings.Contains(line, "hotpath 1/") {
			interrupt()
		}
	})}
	if _, err := h.run(ctx); err == nil {
		t.Error("it ran to its end")
	}
	if trees := gitOutput(t, dir, "worktree", "list"); strings.Count(trees, "\n") != 1 {
		t.Errorf("it left a work tree:\n%s", trees)
	}
}

type writerFunc func(line string)

func (f writerFunc) Write(line []byte) (int, error) {
	f(string(line))
	return len(line), nil
}

const benchmarks = `goos: linux
BenchmarkRoute/1-2        	    2156	     28007 ns/op	     35705 frames/s	    8428 B/op	      70 allocs/op
BenchmarkRoute/100-2      	   36832	      1544 ns/op	    647532 frames/s	    1862 B/op	       0 allocs/op
BenchmarkRoute/100-2      	   36832	      1644.5 ns/op	    647532 frames/s	    1862 B/op	       1 allocs/op
BenchmarkRoute/100        	   36832	      1544 ns/op
BenchmarkRoute/100-x-2    	   1	      1 ns/op
BenchmarkRoute/100
--- BENCH: BenchmarkRoute/100-2
PASS
`

func TestParseBenchmark(t *testing.T) {
	for _, c := range []struct {
		benchmark, unit string
		want            []float64
	}{
		{"BenchmarkRoute/100", "allocs/op", []float64{0, 1}},
		{"BenchmarkRoute/100", "ns/op", []float64{1544, 1644.5, 1544}},
		{"BenchmarkRoute/1", "frames/s", []float64{35705}},
		{"BenchmarkRoute/100-x", "ns/op", []float64{1}},
		{"BenchmarkRoute", "ns/op", nil},
		{"BenchmarkRoute/100", "MB/s", nil},
	} {
		if got, err := parseBenchmark(benchmarks, c.benchmark, c.unit); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s in %s: got %v, %v, want %v", c.benchmark, c.unit, got, err, c.want)
		}
	}
	if got, err := parseBenchmark("BenchmarkX 1 fast ns/op\n", "BenchmarkX", "ns/op"); err == nil {
		t.Errorf("a word is %v", got)
	}
}

// FuzzParseBenchmark checks that a line as go test writes it is read whatever stands before it.
func FuzzParseBenchmark(f *testing.F) {
	f.Add(benchmarks, "BenchmarkRoute/100", uint8(8), 1544.5)
	f.Add("BenchmarkX-", "BenchmarkX-", uint8(1), 0.0)
	f.Fuzz(func(t *testing.T, before, name string, cpus uint8, value float64) {
		values, err := parseBenchmark(before, name, "ns/op")
		if fields := strings.Fields(name); err != nil || len(fields) != 1 || fields[0] != name {
			return
		}
		line := fmt.Sprintf("%s-%d \t 100\t %v ns/op\t 3 allocs/op\n", name, cpus, value)
		got, err := parseBenchmark(before+"\n"+line, name, "ns/op")
		if err != nil || fmt.Sprint(got) != fmt.Sprint(append(values, value)) {
			t.Errorf("%q after %q: got %v, %v, before it %v", line, before, got, err, values)
		}
	})
}
