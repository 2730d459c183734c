package scenario

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/lorry-mqtt/lorry/bench/process"
	"github.com/lorry-mqtt/lorry/bench/report"
)

// idle starts a lorry with as many connections as can be, has nothing happen on them, and looks at what they cost. The rush
// of the start has two thirds of the time that is watched to settle.
func idle(ctx context.Context, o Options) (section *report.Section, err error) {
	n, err := mostConnections(o.Connections)
	if err != nil {
		return nil, err
	}
	o.Size = 0 // no flood
	s, ctx, err := newStage(ctx, o, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	s.fleet = n
	began := time.Now()
	subject, err := startLorry(ctx, s, "idle")
	if err != nil {
		return nil, err
	}
	connected := time.Since(began)
	s.progress("idle  %d connections were there after %.1f s", n, connected.Seconds())
	grown, err := s.rest(ctx, subject, connected)
	if err != nil {
		return nil, err
	}
	section = &report.Section{Text: fmt.Sprintf("%d connections, each with its own stream from the Network Server, MQTT session to %s and "+
		"subscription, and no traffic but PING and PONG. %v after the last was connected they were watched for %v.",
		n, s.broker.name, s.Watch*2/3, s.Watch)}
	section.Add(grown.table(n), grown.plot())
	if n < o.Connections {
		section.Remarkf("Instead of %d connections %d were run: this machine allows a program no more open files.", o.Connections, n)
	}
	odd, err := subject.oddities(ctx)
	if err != nil {
		return nil, err
	}
	for _, remark := range odd {
		section.Remarkf("Not as meant: %s.", remark)
	}
	section.Goals = grown.goals(n)
	return section, nil
}

// quiet is what an idle lorry takes.
type quiet struct {
	connected time.Duration  // from the start until the last connection was there
	memory    []report.Point // MB by seconds since the start
	resident  float64        // bytes, at the end
	watched   time.Duration
	share     float64 // of a core, in percent
	costs     costs   // here in seconds of CPU time, all told
	others    float64 // cores
}

// rest lets the lorry settle, and watches it then.
func (s *stage) rest(ctx context.Context, on *subject, connected time.Duration) (*quiet, error) {
	q, began := &quiet{connected: connected}, time.Now().Add(-connected)
	alive := processes(on.payers(s.broker.process))
	if err := q.wait(ctx, on.program, began, s.Watch*2/3); err != nil {
		return nil, err
	}
	if s.Profiles != "" { // from here on
		if err := on.program.Signal(syscall.SIGUSR2); err != nil {
			return nil, err
		}
	}
	before, err := spent(alive)
	if err != nil {
		return nil, err
	}
	if err := q.wait(ctx, on.program, began, s.Watch); err != nil {
		return nil, err
	}
	after, err := spent(alive)
	if err != nil {
		return nil, err
	}
	if err := check(alive); err != nil {
		return nil, err
	}
	q.costs, q.others = charge(on.payers(s.broker.process), before, after, 1e6)
	q.watched = after.at.Sub(before.at)
	q.share = 100 * q.costs.own() / q.watched.Seconds()
	q.resident = float64(after.used[0].Resident)
	s.progress("idle  %.0f MB, %.1f %% of a core, others took %.2f cores", q.resident/1e6, q.share, q.others)
	return q, nil
}

// wait looks at the program's memory once a second for as long.
func (q *quiet) wait(ctx context.Context, program *process.Process, began time.Time, d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end); {
		u, err := program.Usage()
		if err != nil {
			return err
		}
		q.memory = append(q.memory, report.Point{X: time.Since(began).Seconds(), Y: float64(u.Resident) / 1e6})
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

// each is the resident memory of a connection in kB.
func (q *quiet) each(connections int) float64 { return q.resident / 1e3 / float64(connections) }

func (q *quiet) table(connections int) *report.Table {
	t := report.NewTable("", "")
	t.Add("connections", fmt.Sprint(connections))
	t.Add("all connected after, from the start of lorry", fmt.Sprintf("%.1f s", q.connected.Seconds()))
	t.Add("lorry's resident memory", fmt.Sprintf("%.0f MB", q.resident/1e6))
	t.Add("… for each connection", fmt.Sprintf("%.1f kB", q.each(connections)))
	t.Add("lorry's CPU time, of a core", fmt.Sprintf("%.1f %%", q.share))
	for _, role := range []string{roleNS, roleBroker} {
		t.Add(role+"'s", fmt.Sprintf("%.1f %%", 100*q.costs.of(role).cpu/q.watched.Seconds()))
	}
	t.Add("cores that others took", fmt.Sprintf("%.2f", q.others))
	return t
}

func (q *quiet) plot() *report.Lines {
	return &report.Lines{
		File: "idle", Title: "Memory of an idle lorry", X: "seconds since its start", Y: "MB resident",
		Series: []report.Series[report.Point]{{Name: lorryItself, Values: q.memory}},
	}
}

func (q *quiet) goals(connections int) []report.Goal {
	one := func(v float64) report.Figure { return report.Summarize([]float64{v}) }
	return []report.Goal{
		{What: "resident memory for each connection", Unit: "kB", Decimals: 1, AtMost: 120, Measured: one(q.each(connections))},
		{What: "all connected after", Unit: "s", Decimals: 1, AtMost: 30, Measured: one(q.connected.Seconds())},
		{What: "CPU time, of a core", Unit: "%", Decimals: 1, AtMost: 5, Measured: one(q.share)},
	}
}
