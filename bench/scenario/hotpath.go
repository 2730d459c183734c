package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lorry-mqtt/lorry/bench/report"
)

const (
	// leastSamples of each benchmark are what benchstat needs for intervals of its usual confidence.
	leastSamples = 6
	// wayBenchmark is the one whose allocations are a goal: all of a frame's way, both networks among it.
	wayBenchmark = "BenchmarkWay"
	wayGoal      = 6
)

// suite is a package with benchmarks.
type suite struct {
	dir     string // from the module's root
	pattern string // of its benchmarks, as of go test -bench
	time    string // of each, as of go test -benchtime
}

// frameSuites are those of the steps on a frame's way (bench/hotpath/doc.go), each in the size that says most.
func frameSuites() []suite {
	return []suite{
		{"bench/hotpath", "^Benchmark(Feed|Scan|Topic|Window)", "50ms"},
		{"internal/source", "^BenchmarkSession$/^560B$", "50ms"},
		{"internal/buffer", "^(BenchmarkAppend|BenchmarkReadAfter)$/^100$", "50ms"},
		{"internal/broker", "^BenchmarkPublish$/^mqtt$", "50ms"},
		// Numbers, so that what the start allocates weighs the same each time.
		{"actors", "^BenchmarkRoute$", "20000x"},
		{"bench/hotpath", "^BenchmarkWay$", "100000x"},
	}
}

// hotpath runs the Go benchmarks, beside those of another revision if there is one.
func hotpath(ctx context.Context, o Options) (*report.Section, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	h := &goBenchmarks{root: root, suites: frameSuites(), base: o.Base, samples: max(leastSamples, o.Rounds), progress: o.Progress}
	section, err := h.run(ctx)
	if err != nil {
		return nil, err
	}
	allocations, err := h.current().values(wayBenchmark, "allocs/op")
	if err != nil {
		return nil, err
	}
	section.Goals = append(section.Goals, report.Goal{
		What: "allocations per frame, from socket to PUBACK (BenchmarkWay)", Measured: report.Summarize(allocations), AtMost: wayGoal,
	})
	return section, nil
}

// run runs the benchmarks and has benchstat judge them.
func (h *goBenchmarks) run(ctx context.Context) (section *report.Section, err error) {
	dir, err := os.MkdirTemp("", "lorry-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for test programs: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	remove, err := h.prepare(ctx, dir)
	defer func() { err = errors.Join(err, remove()) }()
	if err != nil {
		return nil, err
	}
	for n := range h.samples {
		for i := range h.suites {
			for _, side := range h.sides {
				if err := side.sample(ctx, i); err != nil {
					return nil, err
				}
			}
		}
		h.report("hotpath %d/%d", n+1, h.samples)
	}
	table, err := h.compare(ctx, dir)
	if err != nil {
		return nil, err
	}
	section = &report.Section{Text: h.text()}
	section.Verbatim(table)
	for _, side := range h.sides {
		if len(side.missing) > 0 {
			section.Remarkf("%s has no benchmarks in %s.", side.name, strings.Join(side.missing, ", "))
		}
	}
	return section, nil
}

// text says what was run.
func (h *goBenchmarks) text() string {
	text := fmt.Sprintf("Go benchmarks of single steps on a frame's way (bench/hotpath/doc.go), each %d times, as benchstat has it: "+
		"median ± interval of 95 %% confidence.", h.samples)
	if len(h.sides) > 1 {
		text += fmt.Sprintf(" Those of %s and of the working directory (%s) took turns; ~ is a difference that chance explains as well.",
			h.sides[0].name, h.current().name)
	}
	return text
}

// compare returns benchstat's tables.
func (h *goBenchmarks) compare(ctx context.Context, dir string) (string, error) {
	tools, err := moduleRoot(ctx) // that of the program, also where other benchmarks are run
	if err != nil {
		return "", err
	}
	args := []string{
		"tool", "-modfile=" + filepath.Join(tools, "internal", "tools", "go.mod"), "benchstat",
		"-ignore", "pkg", "-filter", ".unit:(sec/op OR B/op OR allocs/op)",
	}
	for _, side := range h.sides {
		file := filepath.Join(dir, side.name+".txt")
		if err := os.WriteFile(file, side.output.Bytes(), 0o600); err != nil {
			return "", fmt.Errorf("compare the benchmarks: %w", err)
		}
		args = append(args, side.name+"="+file)
	}
	said, err := goCommand(ctx, tools, args...)
	if err != nil {
		return "", fmt.Errorf("compare the benchmarks: %w", err)
	}
	return said, nil
}
