package main

import (
	"github.com/spf13/cobra"

	"github.com/lorry-mqtt/lorry/bench/part"
)

func newPacedPart() *cobra.Command {
	var p part.PacedPublisher
	cmd := &cobra.Command{Use: "paced", Short: "Bare publisher that keeps a pace", RunE: func(cmd *cobra.Command, _ []string) error {
		return p.Run(cmd.Context())
	}}
	cmd.Flags().StringVar(&p.Listen, "listen", "", "address of its numbers")
	cmd.Flags().StringVar(&p.Broker, "broker", "", "address of the broker")
	cmd.Flags().StringVar(&p.Topic, "topic", "", "topic template")
	cmd.Flags().IntVar(&p.Window, "window", 0, "publishes without PUBACK")
	p.Pace.Flags(cmd.Flags())
	p.Flood.Flags(cmd.Flags())
	return cmd
}

func newStopwatchPart() *cobra.Command {
	var s part.Stopwatch
	cmd := &cobra.Command{Use: "stopwatch", Short: "Timing subscriber", RunE: func(cmd *cobra.Command, _ []string) error {
		return s.Run(cmd.Context())
	}}
	cmd.Flags().StringVar(&s.Listen, "listen", "", "address of its numbers and samples")
	cmd.Flags().StringVar(&s.Broker, "broker", "", "address of the broker")
	cmd.Flags().StringVar(&s.Filter, "filter", "", "topic filter")
	return cmd
}

func newDeskPart() *cobra.Command {
	var d part.Desk
	cmd := &cobra.Command{Use: "desk", Short: "Network Server that times downlinks", RunE: func(cmd *cobra.Command, _ []string) error {
		return d.Run(cmd.Context())
	}}
	cmd.Flags().StringVar(&d.Listen, "listen", "", "address")
	cmd.Flags().StringVar(&d.Numbers, "numbers", "", "address of its numbers and samples")
	cmd.Flags().Uint64Var(&d.Count, "count", 0, "open downlink_requests")
	d.Flood.Flags(cmd.Flags())
	return cmd
}
