package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lorry-mqtt/lorry/bench/soak"
)

// soakRun is one run of the soak program.
type soakRun struct {
	soak.Options
	lorry string
	nats  string
	plan  bool
}

func newSoakCommand() *cobra.Command {
	s := &soakRun{}
	cmd := &cobra.Command{
		Use: "soak", Short: "Run lorry under faults drawn from a seed, and verify every frame", Args: cobra.NoArgs,
		Long: "Run lorry under faults drawn from a seed, and verify every frame: nothing lost, in order, byte for byte, no more\n" +
			"repeats than allowed. The summary goes to stdout, what happens meanwhile to stderr. It ends with status 0 only if\n" +
			"every promise was kept. The same seed with the same flags draws the same faults.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.Progress = cmd.ErrOrStderr()
			return s.run(cmd, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&s.Seed, "seed", 0, "`number` that the faults are drawn from (default: another one each time)")
	f.DurationVar(&s.Duration, "duration", 3*time.Minute, "how long faults happen; what is under way then is delivered after it")
	f.IntVar(&s.Faults, "faults", 0, "`number` of faults (default: one in three seconds)")
	f.Float64Var(&s.Rate, "rate", 100, "about so many `messages` a second, with bursts of ten times as many")
	f.StringSliceVar(&s.Brokers, "brokers", nil, "`names` of the brokers, mochi and mosquitto, one connection to each (default: those there are)")
	f.StringVar(&s.nats, "nats", "embedded", "JetStream `where`: embedded in lorry, or external, as a process that has faults, too")
	f.StringVar(&s.lorry, "lorry", "", "`file` of the program to run (default: built from the working directory; node: this program with lorry in it)")
	f.DurationVar(&s.Patience, "patience", 2*time.Minute, "how long nothing may be delivered at the end while something is missing")
	f.BoolVar(&s.plan, "plan", false, "write the faults that the seed draws, and run nothing")
	return cmd
}

// complete checks the flags and fills in what was not given.
func (s *soakRun) complete(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("seed") {
		s.Seed = rand.Uint64N(1 << 32) //nolint:gosec // it is shown
	}
	if s.Faults == 0 {
		s.Faults = max(1, int(s.Duration/(3*time.Second)))
	}
	if len(s.Brokers) == 0 {
		s.Brokers = soak.Brokers()
	}
	for i, b := range s.Brokers {
		if b != soak.Mochi && b != soak.Mosquitto || slices.Contains(s.Brokers[:i], b) {
			return fmt.Errorf("--brokers: %q is neither mochi nor mosquitto, or given twice", b)
		}
	}
	if s.nats != "embedded" && s.nats != "external" {
		return fmt.Errorf("--nats: %q is neither embedded nor external", s.nats)
	}
	s.ExternalNATS = s.nats == "external"
	if s.Duration < time.Second || s.Faults < 0 || s.Rate < 1 || s.Patience < time.Second {
		return errors.New("--duration and --patience must be 1s at least, --rate 1, and --faults not negative")
	}
	s.Replay = fmt.Sprintf("go run ./bench soak --seed %d --duration %v --faults %d --rate %s --brokers %s --nats %s",
		s.Seed, s.Duration, s.Faults, strconv.FormatFloat(s.Rate, 'f', -1, 64), strings.Join(s.Brokers, ","), s.nats)
	return nil
}

func (s *soakRun) run(cmd *cobra.Command, out io.Writer) (err error) {
	if err := s.complete(cmd); err != nil {
		return err
	}
	if s.plan {
		return s.Plan().Write(out)
	}
	if s.Bench, err = os.Executable(); err != nil {
		return fmt.Errorf("find out which program this is: %w", err)
	}
	switch s.lorry {
	case "node":
		s.Lorry = []string{s.Bench, "part", "node"}
	case "":
		b := &benchmark{}
		b.Progress = s.Progress
		remove, err := b.build(cmd.Context())
		defer remove()
		if err != nil {
			return err
		}
		s.lorry = b.Lorry
		fallthrough
	default:
		s.Lorry = []string{s.lorry, "run"}
	}
	return s.Run(cmd.Context(), out)
}
