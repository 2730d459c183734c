package main

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

// dropKinds are the values of --drop-how.
var dropKinds = map[string]simulator.Drop{
	"reset": simulator.Reset, "hangup": simulator.Hangup, "close": simulator.CloseFrame,
}

// simulateNS is a run of 'simulate ns': the simulator's configuration and the flags that are no field of it.
type simulateNS struct {
	config  simulator.Config
	listen  string
	filters []string
	dropHow string
	quiet   bool
}

func newSimulateNSCommand() *cobra.Command {
	s := &simulateNS{}
	cmd := &cobra.Command{
		Use:   "ns",
		Short: "Simulate a LoRaWAN Network Server: Data API, history, downlinks, faults on request",
		Long: `Simulate a LoRaWAN Network Server with its Data API at ws://HOST:PORT/api/v1.0/data and its history at
http://HOST:PORT/api/v1.0/history/data, until Ctrl-C. The same seed and times give the same messages.

A client that names a filter which was not given here is refused with status 404, as the real one does. The faults
are chances between 0 and 1, rolled for each frame (--refuse: for each connect).`,
		Example: `  lorry simulate ns --filter 59ae890a63c0f30009e95709 --token secret --rate 100
  lorry simulate ns --filter f --token t --drop 0.001 --stall 0.0001 --repeat 0.01`,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.run(cmd) },
	}
	s.flags(cmd.Flags())
	return cmd
}

func (s *simulateNS) flags(f *pflag.FlagSet) {
	c := &s.config
	f.StringVar(&s.listen, "listen", ":9000", "`address` to listen on")
	f.StringArrayVar(&s.filters, "filter", nil, "`id` of a filter that clients may name; passes everything (may be repeated; default: any)")
	f.StringArrayVar(&c.Tokens, "token", nil, "access `token` (may be repeated; default: any that is not empty)")
	f.IntVar(&c.Devices, "devices", 10, "number of devices")
	f.Float64Var(&c.Rate, "rate", 10, "messages a second over all devices")
	f.Uint64Var(&c.Seed, "seed", 1, "decides everything that is left to chance")
	f.DurationVar(&c.History.Retention, "history", 48*time.Hour, "how long uplink and downlink are replayed")
	f.DurationVar(&c.History.RetentionOther, "history-other", time.Hour, "how long every other type is replayed")
	f.DurationVar(&c.TxDelay, "tx-delay", 5*time.Second, "time from a downlink_request to its tx_time")
	f.Float64Var(&c.Faults.Drop, "drop", 0, "fault: the connection ends")
	f.StringVar(&s.dropHow, "drop-how", "reset", "`how` it ends: reset, hangup or close")
	f.Float64Var(&c.Faults.Stall, "stall", 0, "fault: the stream falls silent")
	f.DurationVar(&c.Faults.StallFor, "stall-for", time.Minute, "for how long")
	f.Float64Var(&c.Faults.Disorder, "disorder", 0, "fault: the frame is overtaken by later ones")
	f.Float64Var(&c.Faults.Repeat, "repeat", 0, "fault: the frame is sent twice")
	f.Float64Var(&c.Faults.Garbage, "garbage", 0, "fault: what is no message precedes the frame")
	f.Float64Var(&c.Faults.Refuse, "refuse", 0, "fault: the connect is answered by 503")
	f.IntVar(&c.Flood.Size, "flood", 0, "send numbered frames of so many `bytes` as fast as they are read, and nothing else")
	f.BoolVar(&s.quiet, "quiet", false, "log warnings only")
}

func (s *simulateNS) run(cmd *cobra.Command) error {
	level := "info"
	if s.quiet {
		level = "warn"
	}
	log, err := telemetry.NewLogger(cmd.ErrOrStderr(), level, "console")
	if err != nil {
		return err
	}
	if err := s.complete(log); err != nil {
		return err
	}
	ns, err := simulator.New(s.config)
	if err != nil {
		return err
	}
	if err := ns.Start(s.listen); err != nil {
		return err
	}
	defer ns.Close()
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "Data API  %s\nhistory   %s\n", fromHere(ns.URL()), fromHere(ns.HistoryURL())); err != nil {
		return err
	}
	<-cmd.Context().Done()
	stats := ns.Stats()
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "\n%d messages generated, %d frames sent to %d clients, %d downlinks received, %d of them in time\n",
		stats.Generated, stats.Sent, stats.Connects, stats.Received, stats.Accepted)
	return err
}

// complete makes the simulator's configuration of the flags, or says which of them is wrong.
func (s *simulateNS) complete(log zerolog.Logger) error {
	drop, known := dropKinds[s.dropHow]
	if !known {
		return misuse("--drop-how: %q is none of %s", s.dropHow, strings.Join(slices.Sorted(maps.Keys(dropKinds)), ", "))
	}
	c := &s.config
	for _, f := range []struct {
		flag string
		zero bool // which the simulator takes for "the default"
	}{
		{"devices", c.Devices == 0},
		{"history", c.History.Retention == 0},
		{"history-other", c.History.RetentionOther == 0},
		{"tx-delay", c.TxDelay == 0},
		{"stall-for", c.Faults.StallFor == 0},
	} {
		if f.zero {
			return misuse("--%s: must be above 0", f.flag)
		}
	}
	c.Faults.DropHow, c.Log = drop, log
	c.Filters = map[string]simulator.Filter{}
	if len(s.filters) == 0 {
		c.Filters[simulator.AnyFilter] = simulator.Filter{}
	}
	for _, id := range s.filters {
		if id == "" {
			return misuse("--filter: is empty")
		}
		c.Filters[id] = simulator.Filter{}
	}
	if faults := c.Validate(); len(faults) > 0 {
		for i := range faults {
			faults[i].Path = flagOf(faults[i].Path)
		}
		return usageError{faults}
	}
	return nil
}

// flagOf names the flag that sets the field of a simulator's configuration.
func flagOf(path string) string {
	path, _, _ = strings.Cut(strings.TrimPrefix(path, "faults."), "[")
	switch path {
	case "history.retention":
		path = "history"
	case "history.retention_other":
		path = "history-other"
	case "flood.size":
		path = "flood"
	case "tokens":
		path = "token"
	}
	return "--" + strings.ReplaceAll(path, "_", "-")
}

// fromHere is an address as a client on this machine uses it: who listens on every interface has no host to show.
func fromHere(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil && addr.IsUnspecified() {
		u.Host = "localhost:" + u.Port()
	}
	return u.String()
}
