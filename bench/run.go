package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lorry-mqtt/lorry/bench/report"
	"github.com/lorry-mqtt/lorry/bench/scenario"
)

// checkBase has a misspelt revision not be found only after minutes.
func (b *benchmark) checkBase(ctx context.Context, chosen []scenario.Scenario) error {
	if b.Base == "" {
		return nil
	}
	if !slices.ContainsFunc(chosen, func(s scenario.Scenario) bool { return s.Name == "hotpath" }) {
		return errors.New("--base compares what hotpath measures, and that is not among --scenario")
	}
	if _, err := scenario.Revision(ctx, "", b.Base); err != nil {
		return fmt.Errorf("--base: %w", err)
	}
	return nil
}

// measure runs the scenarios and reports on them, also if some fail: then the report names those, and so does the error.
func (b *benchmark) measure(ctx context.Context, chosen []scenario.Scenario, out io.Writer) error {
	document := report.Document{At: time.Now()}
	account, err := b.open(ctx)
	if err != nil {
		return err
	}
	var failed error
	found := false
	for i, s := range chosen {
		section := b.runScenario(ctx, s, fmt.Sprintf("%d/%d", i+1, len(chosen)), document.At)
		if section.Failed != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", s.Name, section.Failed))
		}
		found = found || section.Failed == nil || len(section.Blocks) > 0
		document.Sections = append(document.Sections, section)
	}
	if !found {
		return failed
	}
	document.Facts, document.Warnings = account.close(time.Since(document.At))
	file, err := document.Save(b.results)
	if err != nil {
		return errors.Join(failed, err)
	}
	if summary := report.Summary(document.Sections); summary != nil {
		failed = errors.Join(failed, summary.Write(out))
	}
	_, err = fmt.Fprintf(out, "\nreport: %s\n", file)
	return errors.Join(failed, err)
}

// runScenario runs one, which is the i-th of n ("i/n") of a run.
func (b *benchmark) runScenario(ctx context.Context, s scenario.Scenario, place string, began time.Time) *report.Section {
	section, started := &report.Section{}, time.Now()
	o := b.Options
	o.Progress = &progress{to: b.Progress, place: place, began: began}
	if ctx.Err() != nil {
		section.Failed = fmt.Errorf("not run: %w", context.Cause(ctx))
	} else {
		fmt.Fprintf(o.Progress, "%s: %s\n", s.Name, s.Does) //nolint:errcheck // there is nowhere else to say it
		found, err := s.Run(ctx, o)
		if found != nil {
			section = found
		}
		section.Failed, section.Took = err, time.Since(started)
	}
	section.Name = s.Name
	if section.Failed != nil {
		fmt.Fprintf(o.Progress, "%s failed: %v\n", s.Name, section.Failed) //nolint:errcheck // there is nowhere else to say it
	}
	return section
}

// build builds lorry as `make build` does, in a directory that remove removes.
func (b *benchmark) build(ctx context.Context) (remove func(), err error) {
	fmt.Fprintln(b.Progress, "building lorry") //nolint:errcheck // there is nowhere else to say it
	dir, err := os.MkdirTemp("", "lorry-bench-")
	if err != nil {
		return func() {}, fmt.Errorf("make a directory to build lorry in: %w", err)
	}
	remove = func() { _ = os.RemoveAll(dir) }
	b.Lorry = filepath.Join(dir, "lorry")
	args := []string{"build", "-trimpath", "-buildvcs=false", "-o", b.Lorry}
	if revision := b.revision(ctx); revision != "" {
		args = append(args, "-ldflags", "-X main.revision="+revision)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/lorry")...) //nolint:gosec // a directory of our own
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return remove, fmt.Errorf("build lorry in the working directory, or name one by --lorry: %w\n%s", err, said)
	}
	return remove, nil
}

// revision is the commit in the working directory; empty if git does not know it.
func (b *benchmark) revision(ctx context.Context) string {
	said, err := exec.CommandContext(ctx, "git", "describe", "--always", "--exclude", "*", "--abbrev=12", "--dirty").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(said))
}
