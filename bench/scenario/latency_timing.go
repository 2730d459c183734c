package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/process"
	"github.com/lorry-mqtt/lorry/bench/report"
)

// patience is how long messages may take to arrive after the last was sent.
const patience = 10 * time.Second

// timedRoute is a way of messages that is timed.
type timedRoute struct {
	program *process.Process // what is on the way, besides the broker
	pacer   *process.Process
	paced   string // address of the pace's numbers
	finish  string // address of the samples, and of
	arrived string // the count of what arrived
	odd     func(ctx context.Context) ([]string, error)
}

// timedContender is a route that is compared with others. Its route is ready when it has started.
type timedContender struct {
	name  string
	start func(ctx context.Context, s *stage, round string, pace part.Pace) (*timedRoute, error)
}

// timing is one round of one contender.
type timing struct {
	took    durations // of the messages that count
	cores   float64   // that the program on the way used
	others  float64   // cores that the rest of the machine took
	remarks []string
}

// timings are the rounds of several contenders.
type timings struct {
	Options
	scenario string
	broker   string
	pace     part.Pace
	all      []timedContender
	rounds   [][]timing // by contender
}

// timeAll runs every contender in every round, one after the other.
func timeAll(ctx context.Context, o Options, name string, pace part.Pace, all []timedContender) (*timings, error) {
	t := &timings{Options: o, scenario: name, pace: pace, all: all, rounds: make([][]timing, len(all))}
	for round := range o.Rounds {
		for i, c := range all {
			one, err := t.round(ctx, c, round+1)
			if err != nil {
				return nil, fmt.Errorf("round %d of %s: %w", round+1, c.name, err)
			}
			t.rounds[i] = append(t.rounds[i], one)
		}
	}
	return t, nil
}

// fileName has no spaces.
var fileName = strings.NewReplacer(",", "", " ", "-")

func (t *timings) round(ctx context.Context, c timedContender, round int) (one timing, err error) {
	s, ctx, err := newStage(ctx, t.Options, 0)
	if err != nil {
		return one, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	t.broker = s.broker.name
	route, err := c.start(ctx, s, fmt.Sprintf("%s-%s-%d", t.scenario, fileName.Replace(c.name), round), t.pace)
	if err != nil {
		return one, err
	}
	if one, err = route.time(ctx, t.pace, s.running); err != nil {
		return one, err
	}
	s.progress("%s %d/%d  %-18s p50 %.2f ms, p99 %.2f ms, took %.2f cores, others %.2f", t.scenario, round, t.Rounds, c.name,
		milliseconds(one.took.quantile(0.5)), milliseconds(one.took.quantile(0.99)), one.cores, one.others)
	return one, nil
}

// warmUp is how many of the pace's messages do not count: the first fifth.
func warmUp(pace part.Pace) uint64 { return pace.Frames / 5 }

// time has the pace kept once, and times it, with these processes at work. Nobody is asked for anything meanwhile, which
// would take time.
func (r *timedRoute) time(ctx context.Context, pace part.Pace, working []*process.Process) (t timing, err error) {
	if err := r.pacer.Signal(syscall.SIGUSR2); err != nil {
		return t, err
	}
	lasts := func(messages uint64) time.Duration {
		return time.Duration(messages) * time.Second / time.Duration(pace.Rate)
	}
	if err := pause(ctx, lasts(warmUp(pace))); err != nil {
		return t, err
	}
	before, err := spent(working)
	if err != nil {
		return t, err
	}
	if err := pause(ctx, lasts(pace.Frames-warmUp(pace))); err != nil {
		return t, err
	}
	after, err := spent(working)
	if err != nil {
		return t, err
	}
	each, others := after.since(before)
	t.cores, t.others = each[slices.Index(working, r.program)].Seconds()/after.at.Sub(before.at).Seconds(), others
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err = watch(wait, process.NewGauge(r.finish), r.arrived, reaches(float64(pace.Frames)), r.program, r.pacer)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil { // what is lost is counted, not waited for
		return t, err
	}
	samples, err := readSamples(ctx, r.finish)
	if err != nil {
		return t, err
	}
	t.took = newDurations(slices.DeleteFunc(slices.Clone(samples), func(s part.Sample) bool { return s.Number <= warmUp(pace) }))
	if len(t.took) == 0 {
		return t, errors.New("nothing arrived that could be timed")
	}
	t.remarks, err = r.remarks(ctx, pace, len(samples))
	return t, err
}

// remarks names what happened that was not meant to.
func (r *timedRoute) remarks(ctx context.Context, pace part.Pace, arrived int) ([]string, error) {
	paced, err := process.NewGauge(r.paced).Read(ctx)
	if err != nil {
		return nil, err
	}
	finished, err := process.NewGauge(r.finish).Read(ctx)
	if err != nil {
		return nil, err
	}
	found, err := r.odd(ctx)
	if err != nil {
		return nil, err
	}
	for text, n := range map[string]float64{
		"%.0f were not sent":               float64(pace.Frames) - paced[part.PaceSent],
		"%.0f were lost":                   paced[part.PaceSent] - float64(arrived),
		"%.0f came again":                  finished[part.StopwatchRepeated],
		"%.0f came from nowhere":           finished[part.StopwatchForeign],
		"%.0f downlinks were not accepted": finished[part.DeskReceived] - finished[part.DeskAccepted],
	} {
		if n != 0 {
			found = append(found, fmt.Sprintf(text, n))
		}
	}
	if late := paced[part.PaceLate]; late > latePace*float64(pace.Frames) {
		found = append(found, fmt.Sprintf("%.0f of %d were sent a whole interval late or more, one by %.1f ms", late, pace.Frames, paced[part.PaceWorst]/1e3))
	}
	slices.Sort(found)
	return found, nil
}

// figure is a value of each round of a contender.
func (t *timings) figure(contender int, value func(one timing) float64) report.Figure {
	var values []float64
	for _, one := range t.rounds[contender] {
		values = append(values, value(one))
	}
	return report.Summarize(values)
}

// quantile is one of each round of a contender, in milliseconds.
func (t *timings) quantile(contender int, p float64) report.Figure {
	return t.figure(contender, func(one timing) float64 { return milliseconds(one.took.quantile(p)) })
}

// added is by how many milliseconds a contender's quantile is more than the reference's, which is the last contender, in
// each round.
func (t *timings) added(contender int, p float64) []float64 {
	var values []float64
	for round, reference := range t.rounds[len(t.all)-1] {
		values = append(values, milliseconds(t.rounds[contender][round].took.quantile(p)-reference.took.quantile(p)))
	}
	return values
}

// table shows quantiles in milliseconds, and how many cores were busy meanwhile: with the program on the way, and with
// what has nothing to do with it.
func (t *timings) table(columns []string, quantiles []float64) *report.Table {
	table := report.NewTable(append(append([]string{"milliseconds"}, columns...), "cores", "others' cores")...)
	for i, c := range t.all {
		row := []string{c.name}
		for _, p := range quantiles {
			row = append(row, t.quantile(i, p).Format(2))
		}
		table.Add(append(row, t.figure(i, func(one timing) float64 { return one.cores }).Format(3),
			t.figure(i, func(one timing) float64 { return one.others }).Format(2))...)
	}
	return table
}

// curves shows all that each contender's rounds have timed.
func (t *timings) curves(title string) *report.Lines {
	lines := &report.Lines{File: t.scenario, Title: title, X: "one in so many takes longer (100: p99)", Y: "ms", LogX: true, LogY: true}
	for i, c := range t.all {
		var all durations
		for _, one := range t.rounds[i] {
			all = append(all, one.took...)
		}
		slices.Sort(all)
		lines.Series = append(lines.Series, report.Series[report.Point]{Name: c.name, Values: all.curve()})
	}
	return lines
}

// undisturbed is how many cores others may take without being in the way.
const undisturbed = 0.2

// latePace is which share of a pace may be sent a whole interval late.
const latePace = 0.01

// underLoad says that they took more.
const underLoad = "Not as meant: the rest of the machine took up to %.2f cores. Who waits for a core is late; the higher quantiles tell of that."

// remark adds what happened that was not meant to.
func (t *timings) remark(section *report.Section) {
	most := 0.0
	for i := range t.all {
		most = max(most, t.figure(i, func(one timing) float64 { return one.others }).Highest)
	}
	if most > undisturbed {
		section.Remarkf(underLoad, most)
	}
	for i, c := range t.all {
		for round, one := range t.rounds[i] {
			if len(one.remarks) > 0 {
				section.Remarkf("Not as meant: %s, round %d: %s.", c.name, round+1, strings.Join(one.remarks, ", "))
			}
		}
	}
}
