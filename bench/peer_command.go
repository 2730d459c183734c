package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lorry-mqtt/lorry/bench/part"
)

func newRawPublisherPart() *cobra.Command {
	var p part.RawPublisher
	cmd := &cobra.Command{Use: "raw-publisher", Short: "Publisher on a raw socket", RunE: func(cmd *cobra.Command, _ []string) error {
		return p.Run(cmd.Context())
	}}
	numbersFlag(cmd.Flags(), &p.Listen)
	brokerFlag(cmd.Flags(), &p.Broker)
	windowFlag(cmd.Flags(), &p.Window)
	cmd.Flags().BoolVar(&p.Held, "held", false, "no publishes before SIGUSR1")
	p.Flood.Flags(cmd.Flags())
	return cmd
}

func newReaderPart() *cobra.Command {
	var r part.Reader
	cmd := &cobra.Command{Use: "reader", Short: "WebSocket reader", RunE: func(cmd *cobra.Command, _ []string) error {
		return r.Run(cmd.Context())
	}}
	numbersFlag(cmd.Flags(), &r.Listen)
	cmd.Flags().StringVar(&r.NS, "ns", "", "address of the Network Server")
	r.Flood.Flags(cmd.Flags())
	return cmd
}

func newFeederPart() *cobra.Command {
	var f part.Feeder
	cmd := &cobra.Command{Use: "feeder", Short: "Filler of a stream", RunE: func(cmd *cobra.Command, _ []string) error {
		return f.Run(cmd.Context())
	}}
	numbersFlag(cmd.Flags(), &f.Listen)
	natsFlag(cmd.Flags(), &f.NATS)
	f.Flood.Flags(cmd.Flags())
	return cmd
}

func newBridgePart() *cobra.Command {
	var b part.Bridge
	cmd := &cobra.Command{Use: "bridge", Short: "Bridge from a stream", RunE: func(cmd *cobra.Command, _ []string) error {
		return b.Run(cmd.Context())
	}}
	numbersFlag(cmd.Flags(), &b.Listen)
	natsFlag(cmd.Flags(), &b.NATS)
	brokerFlag(cmd.Flags(), &b.Broker)
	windowFlag(cmd.Flags(), &b.Window)
	return cmd
}

func newTallyPart() *cobra.Command {
	var t part.Tally
	cmd := &cobra.Command{Use: "tally", Short: "Count of what a broker receives", RunE: func(cmd *cobra.Command, _ []string) error {
		return t.Run(cmd.Context())
	}}
	numbersFlag(cmd.Flags(), &t.Listen)
	brokerFlag(cmd.Flags(), &t.Broker)
	t.Flood.Flags(cmd.Flags())
	return cmd
}

func numbersFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "listen", "", "address of its numbers")
}
func brokerFlag(f *pflag.FlagSet, to *string) { f.StringVar(to, "broker", "", "address of the broker") }
func natsFlag(f *pflag.FlagSet, to *string) {
	f.StringVar(to, "nats", "", "address of the NATS server")
}
func windowFlag(f *pflag.FlagSet, to *int) { f.IntVar(to, "window", 0, "publishes without PUBACK") }
