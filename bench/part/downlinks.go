package part

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// The desk's counts.
const (
	DeskReceived = "desk_received_total" // messages of a client
	DeskAccepted = "desk_accepted_total" // downlinks that will be transmitted
)

// MaxDownlinks is how many requests can be open at a [Desk]: the simulator remembers no more of them.
const MaxDownlinks = 10_000

// Desk is a Network Server at which downlink_requests are open, and which times the responses. It sends nothing.
type Desk struct {
	Listen  string // as a Network Server
	Numbers string // where its numbers and samples are
	Count   uint64 // of requests
	Flood   Flood  // that the requests are made after
}

// Run serves until ctx ends.
func (d Desk) Run(ctx context.Context) error {
	ns, _, err := openDesk(&d.Flood, d.Count)
	if err != nil {
		return err
	}
	pages := map[string]page{
		metricsPath: func(w io.Writer) {
			s := ns.Stats()
			fmt.Fprintf(w, "%s %d\n%s %d\n", DeskReceived, s.Received, DeskAccepted, s.Accepted) //nolint:errcheck // whoever asked is gone
		},
		SamplesPath: func(w io.Writer) { writeSamples(w, timeReceived(ns.Received())) },
	}
	return serve(ctx, d.Numbers, pages, func(ctx context.Context) error {
		if err := ns.Start(d.Listen); err != nil {
			return err
		}
		defer ns.Close()
		<-ctx.Done()
		return nil
	})
}

// timeReceived returns how long the accepted downlinks were on their way.
func timeReceived(all []simulator.Received) []Sample {
	var samples []Sample
	for i := range all {
		if r := &all[i]; r.Outcome == simulator.Accepted {
			if number, sent, err := readStamp(r.Raw); err == nil {
				samples = append(samples, Sample{number, sent, r.At.Sub(sent)})
			}
		}
	}
	return samples
}

// openDesk makes a Network Server with so many open downlink_requests, and returns these. They are the same to the
// byte for the same flood, and stay open for hours.
func openDesk(f *Flood, count uint64) (*simulator.NS, [][]byte, error) {
	if count < 1 || count > MaxDownlinks {
		return nil, nil, fmt.Errorf("open %d downlink_requests: there is room for 1 to %d", count, MaxDownlinks)
	}
	var open atomic.Bool
	ns, err := simulator.New(simulator.Config{
		Seed: 1, Devices: floodDevices, TxDelay: 24 * time.Hour, Filters: map[string]simulator.Filter{simulator.AnyFilter: {}},
		Now: func() time.Time {
			if open.Load() {
				return time.Now()
			}
			return time.Unix(f.Epoch, 0)
		},
	})
	if err != nil {
		return nil, nil, err
	}
	requests := make([][]byte, count)
	for i := range requests {
		m, err := ns.Emit(simulator.Order{Type: dataapi.DownlinkRequest})
		if err != nil {
			return nil, nil, err
		}
		requests[i] = m.Raw
	}
	open.Store(true)
	return ns, requests, nil
}
