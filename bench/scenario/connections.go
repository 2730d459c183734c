package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lorry-mqtt/lorry/bench/report"
)

// shares are the numbers of connections that the load is shared by, each with its part of a round's frames. The most of
// them are run once only: starting them takes longer than all the rest.
var shares = []struct {
	connections int
	share       float64
	once        bool
}{{1, 0.5, false}, {100, 0.5, false}, {1000, 0.5, false}, {10_000, 0.4, true}}

// spread is what came of one number of connections.
type spread struct {
	connections int
	share       float64
	once        bool
	outcomes
}

// connections has 1 to 10 000 connections share the load, round by round.
func connections(ctx context.Context, o Options) (*report.Section, error) {
	section, broker := &report.Section{}, ""
	all, err := spreads(o, section)
	if err != nil {
		return nil, err
	}
	for round := range o.Rounds {
		for _, s := range all {
			if s.once && round > 0 {
				continue
			}
			one, name, err := s.run(ctx, o, round+1)
			if err != nil {
				return nil, fmt.Errorf("round %d of %d connections: %w", round+1, s.connections, err)
			}
			s.outcomes, broker = append(s.outcomes, one), name
		}
	}
	section.Text = fmt.Sprintf("Frames of %d bytes to %s over 1 to %d connections, each with the same share of them and a window of %d. The Network "+
		"Server sends as fast as it is read, from when all are connected. %d rounds, interleaved; of 10 000 connections one. Ratios are to the "+
		"single connection of the same round.", o.Size, broker, all[len(all)-1].connections, o.Window, o.Rounds)
	section.Blocks = slices.Insert(section.Blocks, 0, report.Block(spreadTable(all)), report.Block(spreadPlot(all)))
	for _, s := range all {
		for round, one := range s.outcomes {
			for _, remark := range one.remarks {
				section.Remarkf("Not as meant: %d connections, round %d: %s.", s.connections, round+1, remark)
			}
		}
		if s.connections == 1000 {
			section.Goals = []report.Goal{{
				What: "rate of 1 000 connections, of the single one's", Decimals: 2, AtLeast: 1, Measured: s.rateOf(all[0]),
			}}
		}
	}
	return section, nil
}

// spreads are the numbers of connections that are run: those of shares, as far as they are asked for and can be had.
func spreads(o Options, section *report.Section) (all []*spread, err error) {
	for _, share := range shares {
		wanted := min(share.connections, o.Connections)
		n, err := mostConnections(wanted)
		if err != nil {
			return nil, err
		}
		if len(all) > 0 && n <= all[len(all)-1].connections {
			break
		}
		if n < wanted {
			section.Remarkf("Instead of %d connections %d were run: this machine allows a program no more open files.", wanted, n)
		}
		all = append(all, &spread{share: share.share, once: share.once, connections: n})
	}
	return all, nil
}

func (s *spread) run(ctx context.Context, o Options, round int) (one outcome, broker string, err error) {
	each := max(1, uint64(float64(o.Frames)*s.share)/uint64(s.connections))
	st, ctx, err := newStage(ctx, o, each)
	if err != nil {
		return one, "", err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	st.fleet = s.connections
	subject, err := startLorry(ctx, st, fmt.Sprintf("connections-%d-%d", s.connections, round))
	if err != nil {
		return one, "", err
	}
	if one, err = st.measure(ctx, subject); err != nil {
		return one, "", err
	}
	st.progress("connections %d/%d  %5d connections %8.0f frames/s, slowest half second %8.0f, %5.1f CPU s per million, others took %.2f cores",
		round, o.Rounds, s.connections, one.rate, one.slowest, one.costs.own(), one.others)
	return one, st.broker.name, nil
}

// rateOf is the rate, of another number's in the same round.
func (s *spread) rateOf(of *spread) report.Figure { return s.ratio(of.outcomes, rate, rate) }

func spreadTable(all []*spread) *report.Table {
	t := report.NewTable("connections", "frames/s in all", "of one connection", "slowest half second", "CPU s per million frames: lorry",
		roleNS, roleBroker, "MB of lorry at most", "allocations per frame", "others' cores")
	for _, s := range all {
		t.Add(fmt.Sprint(s.connections), s.figure(rate).Format(0), s.rateOf(all[0]).Format(2),
			s.figure(func(o *outcome) float64 { return o.slowest }).Format(0),
			s.figure(func(o *outcome) float64 { return o.costs.own() }).Format(1),
			s.figure(cpuOf(roleNS)).Format(1), s.figure(cpuOf(roleBroker)).Format(1),
			s.figure(func(o *outcome) float64 { return o.costs.of(lorryItself).memory / 1e6 }).Format(0),
			s.figure(func(o *outcome) float64 { return o.allocations }).Format(1),
			s.figure(func(o *outcome) float64 { return o.others }).Format(2))
	}
	return t
}

func spreadPlot(all []*spread) *report.Bars {
	bars := &report.Bars{File: "connections", Title: "Frames a second over all connections", Series: []report.Series[report.Figure]{{Name: lorryItself}}}
	for _, s := range all {
		bars.Groups = append(bars.Groups, fmt.Sprint(s.connections))
		bars.Series[0].Values = append(bars.Series[0].Values, s.figure(rate))
	}
	return bars
}
