package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lorry-mqtt/lorry/bench/process"
	"github.com/lorry-mqtt/lorry/bench/report"
)

// outcome is one round of one contender. The arrays are of the contender, the Network Server and the broker.
type outcome struct {
	rate, slowest float64    // frames/s acknowledged
	cpu           [3]float64 // seconds per million frames
	memory        [3]float64 // bytes resident at most
	others        float64    // cores that the rest of the machine took
	remarks       []string
}

// throughput runs every contender in every round, one after the other, and compares them.
func throughput(ctx context.Context, o Options) (*report.Section, error) {
	all := contenders()
	outcomes := make([][]outcome, len(all))
	broker := ""
	for round := range o.Rounds {
		for i, c := range all {
			one, name, err := runRound(ctx, o, c, round+1)
			if err != nil {
				return nil, fmt.Errorf("round %d of %s: %w", round+1, c.name, err)
			}
			outcomes[i], broker = append(outcomes[i], one), name
		}
	}
	section := &report.Section{Text: fmt.Sprintf("One connection, frames of %d bytes, window of %d, %s; %d rounds of %d frames, interleaved. "+
		"Median (lowest–highest); of each process CPU seconds per million frames and the most resident memory.",
		o.Size, o.Window, broker, o.Rounds, o.Frames)}
	section.Add(throughputTable(all, outcomes))
	remark(section, all, outcomes)
	return section, nil
}

func runRound(ctx context.Context, o Options, c contender, round int) (one outcome, broker string, err error) {
	s, ctx, err := newStage(ctx, o, o.Frames)
	if err != nil {
		return one, "", err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	subject, err := c.start(ctx, s, fmt.Sprintf("%s-%d", strings.ReplaceAll(c.name, " ", "-"), round))
	if err != nil {
		return one, "", err
	}
	if one, err = s.measure(ctx, subject); err != nil {
		return one, "", err
	}
	s.progress("throughput %d/%d  %-10s %8.0f frames/s, slowest second %.0f, others took %.2f cores",
		round, o.Rounds, c.name, one.rate, one.slowest, one.others)
	return one, s.broker.name, nil
}

// measure follows the subject from its first acknowledged frames to the last.
func (s *stage) measure(ctx context.Context, on *subject) (outcome, error) {
	processes := []*process.Process{on.program, s.broker.process}
	if on.ns != nil {
		processes = append(processes, on.ns)
	}
	var o outcome
	start, err := watch(ctx, on.gauge, on.counter, reaches(1), processes...)
	if err != nil {
		return o, err
	}
	before, err := spent(processes)
	if err != nil {
		return o, err
	}
	grown, err := watch(ctx, on.gauge, on.counter, reaches(float64(s.flood.Frames)), processes...)
	if err != nil {
		return o, err
	}
	after, err := spent(processes)
	if err != nil {
		return o, err
	}
	grown = append(start[len(start)-1:], grown...)
	if grown[0].count == grown[len(grown)-1].count {
		return o, errors.New("all was acknowledged before it could be looked at twice; take more --frames")
	}
	o.rate, o.slowest = grown.rate(), grown.slowest(second)
	each, others := after.since(before)
	millions := (grown[len(grown)-1].count - grown[0].count) / 1e6
	for i, place := range []int{0, 2, 1}[:len(processes)] {
		o.cpu[place] = each[i].Seconds() / millions
		o.memory[place] = float64(after.used[i].MaxResident)
	}
	o.others = others
	o.remarks, err = on.oddities(ctx)
	return o, err
}

func throughputTable(all []contender, outcomes [][]outcome) *report.Table {
	t := report.NewTable("", "frames/s", "of bare paho", "slowest second",
		"CPU s/M: itself", "NS", "broker", "MB: itself", "NS", "broker", "others' cores")
	peer := len(all) - 1
	for i, c := range all {
		column := func(value func(o outcome) float64) report.Figure {
			var values []float64
			for _, one := range outcomes[i] {
				values = append(values, value(one))
			}
			return report.Summarize(values)
		}
		var ratios []float64
		for round, one := range outcomes[i] {
			ratios = append(ratios, one.rate/outcomes[peer][round].rate)
		}
		row := []string{
			c.name, column(func(o outcome) float64 { return o.rate }).Format(0), report.Summarize(ratios).Format(2),
			column(func(o outcome) float64 { return o.slowest }).Format(0),
		}
		for place := range 3 {
			row = append(row, column(func(o outcome) float64 { return o.cpu[place] }).Format(1))
		}
		for place := range 3 {
			row = append(row, column(func(o outcome) float64 { return o.memory[place] / 1e6 }).Format(0))
		}
		t.Add(append(row, column(func(o outcome) float64 { return o.others }).Format(2))...)
	}
	return t
}

// remark names what happened that was not meant to.
func remark(section *report.Section, all []contender, outcomes [][]outcome) {
	for i, c := range all {
		for round, one := range outcomes[i] {
			if len(one.remarks) > 0 {
				section.Remarkf("Not as meant: %s, round %d: %s.", c.name, round+1, strings.Join(one.remarks, ", "))
			}
		}
	}
}
