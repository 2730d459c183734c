package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lorry-mqtt/lorry/internal/demo"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

const maxDemoRate = 10_000

func newDemoCommand() *cobra.Command {
	var o demo.Options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole route in one process, with nothing to install",
		Long: `Run everything in one process on free loopback ports: embedded JetStream, a simulated Network Server, an MQTT
broker, one connection between them, a subscriber that prints what arrives and an application that answers each
downlink_request. It ends with a summary, by itself with --for, else with Ctrl-C, and exits with status 0 only if
nothing was lost.`,
		Example: "  lorry demo --for 20s",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("seed") {
				o.Seed = uint64(time.Now().UnixNano()) % 1_000_000
			}
			return runDemo(cmd, o)
		},
	}
	cmd.Flags().DurationVar(&o.For, "for", 0, "end after this time, such as 20s (default: run until Ctrl-C)")
	cmd.Flags().Float64Var(&o.Rate, "rate", 10, "messages a second from the Network Server")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 0, "decides what the Network Server sends (default: another each time)")
	return cmd
}

func runDemo(cmd *cobra.Command, o demo.Options) error {
	if o.For < 0 {
		return misuse("--for must not be negative, got %v", o.For)
	}
	if !(o.Rate > 0 && o.Rate <= maxDemoRate) { // written so that NaN is refused
		return misuse("--rate must be above 0 and at most %d, got %v", maxDemoRate, o.Rate)
	}
	log, err := telemetry.NewLogger(cmd.ErrOrStderr(), "warn", "console")
	if err != nil {
		return err
	}
	o.Out, o.Log = cmd.OutOrStdout(), log
	if _, err := fmt.Fprintf(o.Out, "seed             %d\n", o.Seed); err != nil {
		return err
	}
	summary, err := demo.Run(cmd.Context(), o)
	if err != nil {
		return err
	}
	if err := summary.Print(o.Out); err != nil {
		return err
	}
	switch {
	case summary.OK():
		return nil
	case summary.Sent == 0:
		return errors.New("nothing was sent before the demo ended, so nothing was shown")
	}
	return fmt.Errorf("%d of %d frames were lost", summary.Lost, summary.Sent)
}
