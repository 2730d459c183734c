package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lorry-mqtt/lorry/bench/report"
	"github.com/lorry-mqtt/lorry/bench/scenario"
)

// benchmark is one run of the program.
type benchmark struct {
	scenario.Options
	names   []string // of the scenarios
	results string   // directory for reports
	timeout time.Duration
	command []report.Fact // the command line, and what it did not say
}

func newCommand(stdout, stderr io.Writer) *cobra.Command {
	b := &benchmark{}
	b.Progress = stderr
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure lorry on this machine", Args: cobra.NoArgs, SilenceErrors: true, SilenceUsage: true,
		Long: "Measure lorry on this machine. What it is compared with runs in the same minutes, so compare ratios.\n\nScenarios:\n" + describe(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.command = commandLine(cmd.Flags())
			return b.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	cmd.CompletionOptions.DisableDefaultCmd = true
	f := cmd.Flags()
	f.StringSliceVar(&b.names, "scenario", nil, "`names` of the scenarios to run, with commas (default: all)")
	f.Uint64Var(&b.Frames, "frames", 500_000, "`number` of frames in a round; where contenders are compared each takes a share of it")
	f.IntVar(&b.Rounds, "rounds", 3, "`number` of rounds")
	f.IntVar(&b.Size, "size", 0, "`bytes` of a frame (default: 560, and where sizes are compared 200, 560 and 4096)")
	f.IntVar(&b.Window, "window", 100, "`number` of publishes without PUBACK")
	f.IntVar(&b.Connections, "connections", scenario.DefaultConnections, "`number` of connections where many are run")
	f.DurationVar(&b.Watch, "watch", scenario.DefaultWatch, "how long idle connections are watched")
	f.StringVar(&b.results, "results", "bench/results", "`directory` for the report")
	f.StringVar(&b.Broker, "broker", "", "MQTT broker, mosquitto or mochi (default: mosquitto if it is installed)")
	f.StringVar(&b.Lorry, "lorry", "", "`file` of the program to measure (default: built from the working directory)")
	f.StringVar(&b.Profiles, "profiles", "", "`directory` for CPU and allocation profiles of lorry, which then is slower")
	f.StringVar(&b.Base, "base", "", "git `revision` whose Go benchmarks run beside those of the working directory (hotpath)")
	f.DurationVar(&b.timeout, "timeout", 30*time.Minute, "the longest that all of it may take")
	cmd.AddCommand(newPartCommand(), newSoakCommand())
	return cmd
}

func describe() string {
	var lines strings.Builder
	for _, s := range scenario.All() {
		fmt.Fprintf(&lines, "  %-12s %s\n", s.Name, s.Does)
	}
	return strings.TrimSuffix(lines.String(), "\n")
}

// commandLine is what was asked for, and what else there was to choose.
func commandLine(flags *pflag.FlagSet) []report.Fact {
	given, rest := "go run ./bench", []string(nil)
	flags.VisitAll(func(f *pflag.Flag) {
		value := f.Value.String()
		if list, ok := f.Value.(pflag.SliceValue); ok {
			value = strings.Join(list.GetSlice(), ",")
		}
		switch {
		case f.Changed:
			given += fmt.Sprintf(" --%s %s", f.Name, value)
		case value != "" && value != "0" && f.Name != "help":
			rest = append(rest, f.Name+" "+value)
		}
	})
	return []report.Fact{{Name: "command", Value: "`" + given + "`"}, {Name: "other options", Value: strings.Join(rest, ", ")}}
}

// scenarios are those asked for.
func (b *benchmark) scenarios() ([]scenario.Scenario, error) {
	if len(b.names) == 0 {
		return scenario.All(), nil
	}
	var chosen []scenario.Scenario
	for _, name := range b.names {
		s, known := scenario.Find(name)
		if !known {
			return nil, fmt.Errorf("--scenario: there is no %q; there are:\n%s", name, describe())
		}
		chosen = append(chosen, s)
	}
	return chosen, nil
}

func (b *benchmark) run(ctx context.Context, out io.Writer) (err error) {
	chosen, err := b.scenarios()
	if err != nil {
		return err
	}
	if b.Broker != "" && b.Broker != scenario.Mosquitto && b.Broker != scenario.Mochi {
		return fmt.Errorf("--broker: %q is neither mosquitto nor mochi", b.Broker)
	}
	if b.Frames < 1000 || b.Rounds < 1 || b.Window < 1 || b.Connections < 1 || b.Watch < time.Second {
		return errors.New("--frames must be 1000 at least, --rounds, --window and --connections 1, --watch 1s")
	}
	b.Sizes = []int{b.Size}
	if b.Size == 0 {
		b.Size, b.Sizes = scenario.DefaultSize, scenario.DefaultSizes()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, b.timeout, fmt.Errorf("--timeout of %v has passed", b.timeout))
	defer cancel()
	if err := b.checkBase(ctx, chosen); err != nil {
		return err
	}
	if b.Bench, err = os.Executable(); err != nil {
		return fmt.Errorf("find out which program this is: %w", err)
	}
	if b.Lorry == "" && b.Profiles == "" {
		remove, err := b.build(ctx)
		defer remove()
		if err != nil {
			return err
		}
	}
	if b.Profiles != "" {
		if err := os.MkdirAll(b.Profiles, 0o750); err != nil {
			return fmt.Errorf("--profiles: %w", err)
		}
	}
	return b.measure(ctx, chosen, out)
}
