package scenario

import (
	"context"
	"fmt"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/process"
	"github.com/lorry-mqtt/lorry/bench/report"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// latencyRate is how many frames come in a second, far less than what anybody can take.
const latencyRate = 1000

// latencyContenders returns who is timed; the last is the reference. A further peer is a further entry.
func latencyContenders() []timedContender {
	return []timedContender{
		{lorryItself, timeLorry},
		{lorrySync, func(ctx context.Context, s *stage, round string, pace part.Pace) (*timedRoute, error) {
			s.sync = "always"
			return timeLorry(ctx, s, round, pace)
		}},
		{barePaho, timePublisher},
	}
}

// latency times frames from their sending to a subscriber of the broker.
func latency(ctx context.Context, o Options) (*report.Section, error) {
	pace := part.Pace{Rate: latencyRate, Type: dataapi.Uplink, Frames: max(o.Frames/100, 5)}
	t, err := timeAll(ctx, o, "latency", pace, latencyContenders())
	if err != nil {
		return nil, err
	}
	section := &report.Section{Text: fmt.Sprintf("Frames of %d bytes, %d a second, one by one, %s with set_tcp_nodelay true: the time from their sending by "+
		"the Network Server, or by a bare paho publisher, to their arrival at a subscriber of the broker. %d rounds of %d frames, interleaved, "+
		"of which the first fifth does not count. Median (lowest–highest) of the rounds.",
		o.Size, pace.Rate, t.broker, o.Rounds, pace.Frames)}
	section.Add(t.table([]string{"p50", "p90", "p99", "p99.9", "max"}, []float64{0.5, 0.9, 0.99, 0.999, 1}))
	section.Add(t.addedTable())
	section.Add(t.curves("milliseconds from sending to arrival"))
	t.remark(section)
	section.Goals = []report.Goal{
		{What: "p50, more than the bare publisher's", Unit: "ms", Decimals: 2, AtMost: 0.5, Measured: report.Summarize(t.added(0, 0.5))},
		{What: "p99, more than the bare publisher's", Unit: "ms", Decimals: 2, AtMost: 3, Measured: report.Summarize(t.added(0, 0.99))},
	}
	return section, nil
}

// addedTable is what the contenders add to the reference in each round.
func (t *timings) addedTable() *report.Table {
	reference := len(t.all) - 1
	columns := []string{"ms more than " + t.all[reference].name + ", p50 / p99"}
	for round := range t.Rounds {
		columns = append(columns, fmt.Sprintf("round %d", round+1))
	}
	table := report.NewTable(columns...)
	for i, c := range t.all[:reference] {
		row := []string{c.name}
		middle, high := t.added(i, 0.5), t.added(i, 0.99)
		for round := range t.Rounds {
			row = append(row, fmt.Sprintf("%.2f / %.2f", middle[round], high[round]))
		}
		table.Add(row...)
	}
	return table
}

// timeLorry has the Network Server keep the pace, with lorry on the way.
func timeLorry(ctx context.Context, s *stage, round string, pace part.Pace) (*timedRoute, error) {
	finish, err := s.startStopwatch(ctx, part.TopicFilter)
	if err != nil {
		return nil, err
	}
	ns, err := s.startPacedNS(ctx, 0, pace)
	if err != nil {
		return nil, err
	}
	program, metrics, err := s.startLorry(ctx, ns.address, round)
	if err != nil {
		return nil, err
	}
	return &timedRoute{
		program: program, pacer: ns.Process, paced: ns.numbers, finish: finish, arrived: part.StopwatchArrived, odd: lorryOddities(metrics),
	}, s.awaitLorry(ctx, metrics)
}

// lorryOddities looks at the counts of the lorry at the address that are 0 when nothing happens that is not meant to.
func lorryOddities(metrics string) func(ctx context.Context) ([]string, error) {
	return (&subject{
		gauge: process.NewGauge(metrics),
		odd:   []string{lorryRedelivered, lorryReconnects, lorrySource, lorryDuplicates, lorryEvicted, lorryDropped},
	}).oddities
}

// timePublisher has a bare publisher keep the pace.
func timePublisher(ctx context.Context, s *stage, _ string, pace part.Pace) (*timedRoute, error) {
	return timeBare(ctx, s, pace, part.TopicUp, part.TopicFilter)
}

// timeBare has a bare publisher keep the pace on a topic, and a stopwatch subscribe to it.
func timeBare(ctx context.Context, s *stage, pace part.Pace, topic, filter string) (*timedRoute, error) {
	finish, err := s.startStopwatch(ctx, filter)
	if err != nil {
		return nil, err
	}
	publisher, numbers, err := s.startPaced(ctx, pace, topic)
	if err != nil {
		return nil, err
	}
	return &timedRoute{
		program: publisher, pacer: publisher, paced: numbers, finish: finish, arrived: part.StopwatchArrived,
		odd: func(context.Context) ([]string, error) { return nil, nil },
	}, nil
}
