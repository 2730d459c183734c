package scenario

import (
	"context"
	"fmt"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/process"
)

// contender is a program that brings the flood to the broker, and is compared with the others.
type contender struct {
	name  string
	start func(ctx context.Context, s *stage, round string) (*subject, error)
}

// subject is a contender at work.
type subject struct {
	program *process.Process
	ns      *process.Process // nil: it needs none
	gauge   *process.Gauge
	counter string // the name of its count of acknowledged frames
	// odd are the counts which are 0 when nothing happens that is not meant to.
	odd []string
}

// contenders returns lorry and its peers, which the ratios are to. A further peer is a further entry.
func contenders() []contender {
	return []contender{{"lorry", startLorry}, {"bare paho", startPublisher}}
}

func startLorry(ctx context.Context, s *stage, round string) (*subject, error) {
	return startHeldLorry(ctx, s, round, 0)
}

// startHeldLorry starts a lorry whose Network Server waits after hold frames.
func startHeldLorry(ctx context.Context, s *stage, round string, hold uint64) (*subject, error) {
	ns, address, err := s.startNS(ctx, hold)
	if err != nil {
		return nil, err
	}
	program, metrics, err := s.startLorry(ctx, address, round)
	if err != nil {
		return nil, err
	}
	return &subject{
		program: program, ns: ns, gauge: process.NewGauge(metrics), counter: lorryAcknowledged,
		odd: []string{lorryRedelivered, lorryReconnects, lorrySource, lorryDuplicates, lorryEvicted},
	}, nil
}

func startPublisher(ctx context.Context, s *stage, _ string) (*subject, error) {
	program, numbers, err := s.startPublisher(ctx)
	if err != nil {
		return nil, err
	}
	return &subject{program: program, gauge: process.NewGauge(numbers), counter: part.PublisherAcknowledged}, nil
}

// oddities says which counts are not 0 and should be.
func (s *subject) oddities(ctx context.Context) ([]string, error) {
	numbers, err := s.gauge.Read(ctx)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, name := range s.odd {
		if n := numbers[name]; n > 0 {
			found = append(found, fmt.Sprintf("%s is %.0f", name, n))
		}
	}
	return found, nil
}
