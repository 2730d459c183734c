package main

import (
	"github.com/spf13/cobra"

	"github.com/lorry-mqtt/lorry/bench/part"
)

// newPartCommand is how the benchmark starts its parts.
func newPartCommand() *cobra.Command {
	parts := &cobra.Command{Use: "part", Short: "One part of a scenario, as a process of its own", Hidden: true}
	parts.AddCommand(newNSPart(), newPublisherPart(), newSubscriberPart(), newBrokerPart(), newNodePart(), newNATSPart(),
		newReaderPart(), newRawPublisherPart(), newFeederPart(), newBridgePart(), newTallyPart())
	parts.AddCommand(newPacedPart(), newStopwatchPart(), newDeskPart())
	for _, cmd := range parts.Commands() {
		cmd.Args = cobra.NoArgs
	}
	return parts
}

func newNSPart() *cobra.Command {
	var n part.NS
	cmd := &cobra.Command{Use: "ns", Short: "Network Server", RunE: func(cmd *cobra.Command, _ []string) error {
		return n.Run(cmd.Context())
	}}
	cmd.Flags().StringVar(&n.Listen, "listen", "", "address")
	cmd.Flags().BoolVar(&n.Held, "held", false, "no frames before SIGUSR1, on any stream")
	cmd.Flags().Uint64Var(&n.Hold, "hold", 0, "frames until it waits for SIGUSR1")
	n.Flood.Flags(cmd.Flags())
	n.Pace.Flags(cmd.Flags())
	cmd.Flags().StringVar(&n.Paced, "paced", "", "address of the pace's numbers")
	return cmd
}

func newPublisherPart() *cobra.Command {
	var p part.Publisher
	cmd := &cobra.Command{Use: "publisher", Short: "Bare publisher", RunE: func(cmd *cobra.Command, _ []string) error {
		return p.Run(cmd.Context())
	}}
	cmd.Flags().StringVar(&p.Listen, "listen", "", "address of its numbers")
	cmd.Flags().StringVar(&p.Broker, "broker", "", "address of the broker")
	cmd.Flags().IntVar(&p.Window, "window", 0, "publishes without PUBACK")
	p.Flood.Flags(cmd.Flags())
	return cmd
}

func newSubscriberPart() *cobra.Command {
	var s part.Subscriber
	cmd := &cobra.Command{Use: "subscriber", Short: "Verifying subscriber", RunE: func(cmd *cobra.Command, _ []string) error {
		return s.Run(cmd.Context())
	}}
	cmd.Flags().StringVar(&s.Listen, "listen", "", "address of its numbers")
	cmd.Flags().StringVar(&s.Broker, "broker", "", "address of the broker")
	s.Flood.Flags(cmd.Flags())
	return cmd
}

func newBrokerPart() *cobra.Command {
	var b part.Broker
	cmd := &cobra.Command{Use: "broker", Short: "MQTT broker", RunE: func(cmd *cobra.Command, _ []string) error {
		return b.Run(cmd.Context())
	}}
	cmd.Flags().StringVar(&b.Listen, "listen", "", "address for publishers")
	cmd.Flags().StringVar(&b.Subscribers, "subscribers", "", "address for subscribers")
	return cmd
}

func newNodePart() *cobra.Command {
	var n part.Node
	cmd := &cobra.Command{Use: "node", Short: "lorry run, profiled", RunE: func(cmd *cobra.Command, _ []string) error {
		return n.Run(cmd.Context())
	}}
	cmd.Flags().StringVar(&n.Config, "config", "", "configuration file")
	cmd.Flags().StringVar(&n.Profiles, "profiles", "", "path of the profiles, without their endings")
	return cmd
}

func newNATSPart() *cobra.Command {
	var n part.NATS
	cmd := &cobra.Command{Use: "nats", Short: "NATS server", RunE: func(cmd *cobra.Command, _ []string) error {
		return n.Run(cmd.Context())
	}}
	cmd.Flags().StringVar(&n.Listen, "listen", "", "address")
	cmd.Flags().StringVar(&n.Dir, "dir", "", "directory of its store")
	return cmd
}
