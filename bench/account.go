package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/lorry-mqtt/lorry/bench/process"
	"github.com/lorry-mqtt/lorry/bench/report"
)

// account is what is to be known of a run beside what it measures.
type account struct {
	facts    []report.Fact
	warnings []string
	load     process.Load
	noLoad   error // why the load is not known
}

// open notes what is run and on what, and how busy the machine is at the start.
func (b *benchmark) open(ctx context.Context) (*account, error) {
	a := &account{}
	if err := b.describeLorry(ctx, a); err != nil {
		return nil, err
	}
	broker := "mochi, in a process of its own"
	if program, found := process.FindMosquitto(); found {
		broker = process.MosquittoVersion(ctx, program)
	}
	if b.Broker != "" && !strings.HasPrefix(broker, b.Broker) {
		broker = b.Broker
	}
	a.facts = append(a.facts, report.Fact{Name: "broker", Value: broker})
	a.facts = append(a.facts, b.command...)
	for _, f := range process.Machine(os.TempDir()) {
		a.facts = append(a.facts, report.Fact(f))
	}
	a.load, a.noLoad = process.ReadLoad()
	return a, nil
}

// describeLorry asks the measured program for its version.
func (b *benchmark) describeLorry(ctx context.Context, a *account) error {
	if b.Profiles != "" {
		a.facts = append(a.facts, report.Fact{Name: "lorry", Value: "this working directory's, profiled: " + b.revision(ctx)})
		a.warnings = append(a.warnings, "lorry was profiled, which makes it slower: these figures do not count.")
		return nil
	}
	said, err := exec.CommandContext(ctx, b.Lorry, "version").Output() //nolint:gosec // the operator names it
	if err != nil {
		return fmt.Errorf("ask lorry for its version: run %s: %w", b.Lorry, err)
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(string(said), "lorry "), "\n")
	a.facts = append(a.facts, report.Fact{Name: "lorry", Value: version})
	return nil
}

// close adds how busy the machine was, and warns if that was not the benchmark alone.
func (a *account) close(took time.Duration) ([]report.Fact, []string) {
	a.facts = append(a.facts, report.Fact{Name: "duration", Value: took.Round(time.Second).String()})
	end, err := process.ReadLoad()
	if a.noLoad != nil {
		err = a.noLoad
	}
	if err != nil {
		a.facts = append(a.facts, report.Fact{Name: "load", Value: "not known: " + err.Error()})
		return a.facts, a.warnings
	}
	others, stolen := end.Since(a.load)
	load := fmt.Sprintf("average %.2f at the start and %.2f at the end, the benchmark's own included; other work took %.2f cores",
		a.load.Average, end.Average, others)
	if stolen >= 0.005 {
		load += fmt.Sprintf(", of which other virtual machines had %.2f", stolen)
	}
	a.facts = append(a.facts, report.Fact{Name: "load", Value: load})
	if noisy(runtime.NumCPU(), others) {
		a.warnings = append(a.warnings, fmt.Sprintf("The machine was not quiet: other work took %.2f of its %d cores. Take ratios, or measure again.",
			others, runtime.NumCPU()))
	}
	return a.facts, a.warnings
}

// noisy tells whether others took so many cores that figures say little. Some they always take: what the kernel does for
// the benchmark counts as nobody's. The load average is no measure, as a build just before the run is still in it.
func noisy(cores int, others float64) bool {
	const share = 0.15
	return others > share*float64(cores)
}
