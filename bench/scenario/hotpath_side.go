package scenario

import (
	"bytes"
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
)

// now names the working directory's benchmarks.
const now = "now"

// goBenchmarks is a run of Go benchmarks: of the working directory's, or of those and a revision's in turns.
type goBenchmarks struct {
	root     string // of the module
	suites   []suite
	base     string // revision; empty: none
	samples  int
	progress io.Writer

	sides []*side // the revision, if any, and the working directory
}

// side is the benchmarks of one state of the module.
type side struct {
	name     string
	root     string
	suites   []suite
	programs []string // of the suites; empty where it has none
	missing  []string // the directories of those
	output   bytes.Buffer
}

func (h *goBenchmarks) current() *side { return h.sides[len(h.sides)-1] }

func (h *goBenchmarks) report(format string, args ...any) {
	fmt.Fprintf(h.progress, format+"\n", args...) //nolint:errcheck // there is nowhere else to say it
}

// prepare builds the test programs in a directory. What it leaves elsewhere, remove removes.
func (h *goBenchmarks) prepare(ctx context.Context, dir string) (remove func() error, err error) {
	remove = func() error { return nil }
	if h.base != "" {
		commit, err := Revision(ctx, h.root, h.base)
		if err != nil {
			return remove, err
		}
		tree := filepath.Join(dir, "base")
		if err := git(ctx, h.root, "worktree", "add", "--detach", tree, commit); err != nil {
			return remove, err
		}
		remove = func() error {
			const patience = time.Minute // also when the run was interrupted
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			return git(ctx, h.root, "worktree", "remove", "--force", tree)
		}
		h.sides = append(h.sides, &side{name: commit[:12], root: tree, suites: h.suites})
	}
	h.sides = append(h.sides, &side{name: now, root: h.root, suites: h.suites})
	for _, s := range h.sides {
		h.report("hotpath  building the benchmarks (%s)", s.name)
		if err := s.build(ctx, dir); err != nil {
			return remove, fmt.Errorf("build the benchmarks of %s: %w", s.name, err)
		}
	}
	return remove, nil
}

// build builds a test program for each suite.
func (s *side) build(ctx context.Context, dir string) error {
	for i, suite := range s.suites {
		program := filepath.Join(dir, fmt.Sprintf("%s-%d.test", s.name, i))
		tests, err := filepath.Glob(filepath.Join(s.root, suite.dir, "*_test.go"))
		if err != nil {
			return err
		}
		if len(tests) == 0 {
			s.missing = append(s.missing, suite.dir)
			program = ""
		} else if _, err := goCommand(ctx, s.root, "test", "-c", "-o", program, "./"+suite.dir); err != nil {
			return err
		}
		s.programs = append(s.programs, program)
	}
	return nil
}

// sample runs each benchmark of the i-th suite once more.
func (s *side) sample(ctx context.Context, i int) error {
	if s.programs[i] == "" {
		return nil
	}
	suite := s.suites[i]
	cmd := exec.CommandContext(ctx, s.programs[i], //nolint:gosec // it has just been built
		"-test.run", "^$", "-test.bench", suite.pattern, "-test.benchtime", suite.time, "-test.timeout", "5m")
	cmd.Dir = filepath.Join(s.root, suite.dir)
	said, err := output(cmd)
	if err != nil {
		return fmt.Errorf("run the benchmarks in %s of %s: %w", suite.dir, s.name, err)
	}
	s.output.WriteString(said)
	return nil
}

// values are a benchmark's samples in a unit, as far as there are.
func (s *side) values(benchmark, unit string) ([]float64, error) {
	values, err := parseBenchmark(s.output.String(), benchmark, unit)
	if err == nil && len(values) == 0 {
		err = fmt.Errorf("%s of %s has no %s", benchmark, s.name, unit)
	}
	return values, err
}

// Revision returns the commit that a git revision names, in full. The directory is one in the repository.
func Revision(ctx context.Context, dir, revision string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", "rev-parse", "--verify", "--end-of-options", revision+"^{commit}") //nolint:gosec // git takes it for a revision whatever it is
	cmd.Dir = dir
	said, err := output(cmd)
	if err != nil {
		return "", fmt.Errorf("find the revision %q: %w", revision, err)
	}
	return strings.TrimSpace(said), nil
}

func git(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...) //nolint:gosec // the benchmark's own choice
	cmd.Dir = dir
	_, err := output(cmd)
	return err
}

// moduleRoot is where the module's files are, which has to be lorry's working directory or one in it.
func moduleRoot(ctx context.Context) (string, error) {
	file, err := goCommand(ctx, "", "env", "GOMOD")
	if err != nil {
		return "", err
	}
	root := filepath.Dir(strings.TrimSpace(file))
	if _, err := os.Stat(filepath.Join(root, "bench", "hotpath")); err != nil {
		return "", fmt.Errorf("run this in lorry's source tree, where its Go benchmarks are: %w", err)
	}
	return root, nil
}

// goCommand runs the go command, in the directory if one is given, and returns what it wrote.
func goCommand(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the benchmark's own choice
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	return output(cmd)
}

// output runs a command and returns what it wrote to stdout. The error has what it wrote otherwise.
func output(cmd *exec.Cmd) (string, error) {
	said, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		words := slices.Concat(said, exit.Stderr)
		const lastWords = 2048
		err = fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, bytes.TrimSpace(words[max(0, len(words)-lastWords):]))
	}
	return string(said), err
}
