package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/bench/report"
	"github.com/lorry-mqtt/lorry/bench/scenario"
)

// outcome is what a run of made-up scenarios left.
type outcome struct {
	err              error
	out, said        string
	report, document string
}

func measure(t *testing.T, ctx context.Context, b *benchmark, chosen ...scenario.Scenario) outcome {
	t.Helper()
	var out, said strings.Builder
	b.Progress, b.results = &said, t.TempDir()
	o := outcome{err: b.measure(ctx, chosen, &out)}
	o.out, o.said = out.String(), said.String()
	files, err := filepath.Glob(filepath.Join(b.results, "*", "report.md"))
	if err != nil || len(files) > 1 {
		t.Fatalf("reports %v: %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		o.document, o.report = file, string(text)
	}
	return o
}

// profiled is a benchmark that asks no program for its version.
func profiled(t *testing.T) *benchmark {
	t.Helper()
	b := &benchmark{command: []report.Fact{{Name: "command", Value: "`bench`"}}}
	b.Profiles = t.TempDir()
	return b
}

func finds(name string, goals ...report.Goal) scenario.Scenario {
	return scenario.Scenario{Name: name, Does: "something", Run: func(_ context.Context, o scenario.Options) (*report.Section, error) {
		if _, err := o.Progress.Write([]byte("round 1\nround 2\n")); err != nil {
			return nil, err
		}
		section := &report.Section{Text: "What " + name + " ran.", Goals: goals}
		section.Remarkf("What %s found.", name)
		return section, nil
	}}
}

func fails(name string, why error) scenario.Scenario {
	return scenario.Scenario{Name: name, Run: func(context.Context, scenario.Options) (*report.Section, error) { return nil, why }}
}

// TestScenarioFails checks that the others' sections are there all the same, and that a goal which is missed is no failure.
func TestScenarioFails(t *testing.T) {
	broken := errors.New("lorry: it ended by itself")
	missed := report.Goal{What: "rate", Measured: report.Summarize([]float64{1}), AtLeast: 2}
	o := measure(t, t.Context(), profiled(t), finds("first", missed), fails("second", broken), finds("third"))
	if !errors.Is(o.err, broken) || strings.Contains(o.err.Error(), "rate") || !strings.Contains(o.err.Error(), "second: ") {
		t.Errorf("the error is %v", o.err)
	}
	for _, want := range []string{
		"- [second](#second): failed", "What first ran.", "What third found.", "## second\n\n**It failed:**\n\n```\nlorry: it ended by itself\n```",
		"**lorry was profiled", "- command: `bench`", "- CPU: ", "- load: ", "- broker: ",
	} {
		if !strings.Contains(o.report, want) {
			t.Errorf("%q is not in\n%s", want, o.report)
		}
	}
	for _, want := range []string{`(?m)^\| first +\| +rate \| +≥ 2 \| +1 \| +no \|$`, `(?m)^report: ` + regexp.QuoteMeta(o.document) + "$"} {
		if !regexp.MustCompile(want).MatchString(o.out) {
			t.Errorf("%s is not in the output\n%s", want, o.out)
		}
	}
	for _, want := range []string{`(?m)^\[1/3 0:\d\d\] first: something$`, `(?m)^\[3/3 0:\d\d\] round 2$`, `(?m)^\[2/3 0:\d\d\] second failed: lorry`} {
		if !regexp.MustCompile(want).MatchString(o.said) {
			t.Errorf("%s is not in the progress\n%s", want, o.said)
		}
	}
	if o := measure(t, t.Context(), profiled(t), finds("first", missed)); o.err != nil {
		t.Errorf("a goal was missed, and the run failed: %v", o.err)
	}
}

// TestInterrupted checks that what was found before is kept.
func TestInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancelCause(t.Context())
	second := scenario.Scenario{Name: "second", Run: func(ctx context.Context, _ scenario.Options) (*report.Section, error) {
		interrupt(errors.New("--timeout of 1s has passed"))
		return nil, context.Cause(ctx)
	}}
	o := measure(t, ctx, profiled(t), finds("first"), second, finds("third"))
	if !strings.Contains(o.report, "What first found.") || strings.Contains(o.report, "What third found.") {
		t.Errorf("the report is\n%s", o.report)
	}
	if want := "third: not run: --timeout of 1s has passed"; o.err == nil || !strings.Contains(o.err.Error(), want) {
		t.Errorf("the error is %v, want %s", o.err, want)
	}
}

func TestNothingFound(t *testing.T) {
	if o := measure(t, t.Context(), profiled(t), fails("first", errors.New("broken"))); o.err == nil || o.report != "" || o.out != "" {
		t.Errorf("error %v, output %q, report\n%s", o.err, o.out, o.report)
	}
}

// TestVersionOfLorry checks that the report names the program that was measured.
func TestVersionOfLorry(t *testing.T) {
	b := &benchmark{}
	b.Lorry = filepath.Join(t.TempDir(), "lorry")
	script := "#!/bin/sh\n[ \"$*\" = version ] && echo lorry 1.2.3, commit 0123456789ab, go1.26 linux/amd64\n"
	if err := os.WriteFile(b.Lorry, []byte(script), 0o700); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	o := measure(t, t.Context(), b, finds("first"))
	if want := "\n- lorry: 1.2.3, commit 0123456789ab, go1.26 linux/amd64\n"; !strings.Contains(o.report, want) {
		t.Errorf("%q is not in\n%s", want, o.report)
	}
	if strings.Contains(o.report, "profiled") {
		t.Errorf("nothing was profiled:\n%s", o.report)
	}
}

func TestNoisy(t *testing.T) {
	for _, c := range []struct {
		cores  int
		others float64
		want   bool
	}{{2, 0, false}, {2, 0.2, false}, {2, 0.4, true}, {16, 0.4, false}, {16, 4, true}} {
		if got := noisy(c.cores, c.others); got != c.want {
			t.Errorf("others take %v of %d cores: %v", c.others, c.cores, got)
		}
	}
}

func TestCommandLine(t *testing.T) {
	cmd := newCommand(nil, nil)
	if err := cmd.Flags().Parse([]string{"--scenario", "latency,idle", "--rounds=5"}); err != nil {
		t.Fatal(err)
	}
	facts := commandLine(cmd.Flags())
	if want := "`go run ./bench --rounds 5 --scenario latency,idle`"; facts[0].Value != want {
		t.Errorf("got %s, want %s", facts[0].Value, want)
	}
	if got := ", " + facts[1].Value + ","; !strings.Contains(got, ", window 100,") || strings.Contains(got, ", rounds ") || strings.Contains(got, ", profiles ") {
		t.Errorf("the other options are %s", facts[1].Value)
	}
}
