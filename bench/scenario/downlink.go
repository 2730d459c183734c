package scenario

import (
	"context"
	"fmt"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/report"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

const (
	// downlinkRate is how many downlinks an application publishes in a second.
	downlinkRate = 100
	// topicDown is where it does.
	topicDown = "downlinks"
)

// downlink times downlink_responses from an application's publisher over broker and lorry to the Network Server.
func downlink(ctx context.Context, o Options) (*report.Section, error) {
	pace := part.Pace{Rate: downlinkRate, Type: dataapi.DownlinkResponse, Frames: min(max(o.Frames/1000, 5), part.MaxDownlinks)}
	all := []timedContender{
		{lorryItself, timeDownlinks},
		{barePaho, func(ctx context.Context, s *stage, _ string, pace part.Pace) (*timedRoute, error) {
			return timeBare(ctx, s, pace, topicDown, topicDown)
		}},
	}
	t, err := timeAll(ctx, o, "downlink", pace, all)
	if err != nil {
		return nil, err
	}
	section := &report.Section{Text: fmt.Sprintf("Responses to downlink_requests that are open, %d a second, %s with set_tcp_nodelay true: the time from "+
		"their publishing to their arrival at the Network Server, by lorry, or at a bare paho subscriber in its place. %d rounds of %d "+
		"downlinks, interleaved, of which the first fifth does not count. Median (lowest–highest) of the rounds.",
		pace.Rate, t.broker, o.Rounds, pace.Frames)}
	section.Add(t.table([]string{"p50", "p90", "p99", "max"}, []float64{0.5, 0.9, 0.99, 1}))
	section.Add(t.curves("milliseconds from publishing to arrival"))
	t.remark(section)
	section.Goals = []report.Goal{
		{What: "p99, broker to Network Server", Unit: "ms", Decimals: 2, AtMost: 2, Measured: t.quantile(0, 0.99)},
	}
	return section, nil
}

// timeDownlinks has an application keep the pace, with lorry on the way.
func timeDownlinks(ctx context.Context, s *stage, round string, pace part.Pace) (*timedRoute, error) {
	address, numbers, err := s.startDesk(ctx, pace.Frames)
	if err != nil {
		return nil, err
	}
	s.topicDown = topicDown
	program, metrics, err := s.startLorry(ctx, address, round)
	if err != nil {
		return nil, err
	}
	if err := s.awaitLorry(ctx, metrics); err != nil {
		return nil, err
	}
	publisher, paced, err := s.startPaced(ctx, pace, topicDown)
	return &timedRoute{
		program: program, pacer: publisher, paced: paced, finish: numbers, arrived: part.DeskReceived, odd: lorryOddities(metrics),
	}, err
}
