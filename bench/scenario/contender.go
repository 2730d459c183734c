package scenario

import (
	"context"
	"fmt"
	"syscall"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/process"
)

// contender is a program that brings the flood to the broker, and is compared with the others.
type contender struct {
	name string
	// share is how many of a round's frames it is given: as many as make its run as long as the others'.
	share float64
	start func(ctx context.Context, s *stage, round string) (*subject, error)
	// needs is the broker without which it cannot be run; empty: any will do.
	needs string
}

// The contenders' names, where others are compared with them.
const (
	lorryItself     = "lorry"
	lorrySync       = "lorry, sync always"
	barePaho        = "bare paho"
	rawSocket       = "raw socket"
	afternoonBridge = "afternoon bridge"
	mosquittoBridge = "mosquitto bridge"
	simulatorAlone  = "simulator alone"
)

// contenders returns lorry and its peers, in the order in which they take turns. A further peer is a further entry.
func contenders() []contender {
	return []contender{
		{name: lorryItself, share: 0.2, start: startLorry},
		{name: barePaho, share: 0.25, start: startPublisher},
		{name: lorrySync, share: 0.15, start: startSyncingLorry},
		{name: rawSocket, share: 0.5, start: startRawPublisher},
		{name: afternoonBridge, share: 0.12, start: startBridge},
		{name: mosquittoBridge, share: 0.2, start: startMosquittoBridge, needs: Mosquitto},
		{name: simulatorAlone, share: 4, start: startReader},
	}
}

// The roles that processes have beside the contender's own.
const (
	roleNS     = "Network Server"
	roleBroker = "broker"
	roleFeeder = "feeder"
	roleBridge = "bridge" // the part's name
)

// subject is a contender at work.
type subject struct {
	program *process.Process
	ns      *process.Process // nil: it needs none
	with    []payer          // who works for it besides
	before  costs            // what was spent on all of its frames before it is measured
	gauge   *process.Gauge
	counter string // the name of its count of acknowledged frames
	// begin has it begin; nil: it begins by itself.
	begin func() error
	// odd are the counts which are 0 when nothing happens that is not meant to.
	odd []string
}

// payers are all processes at work.
func (s *subject) payers(broker *process.Process) []payer {
	all := append([]payer{{role: s.program.Name, own: true, process: s.program}}, s.with...)
	if s.ns != nil {
		all = append(all, payer{role: roleNS, process: s.ns})
	}
	return append(all, payer{role: roleBroker, process: broker})
}

// beginBy has a part begin that waits for SIGUSR1.
func beginBy(p *process.Process) func() error {
	return func() error { return p.Signal(syscall.SIGUSR1) }
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

// startLorry starts a lorry whose connections, one or a fleet, are connected at both ends; the flood begins when it is
// told to.
func startLorry(ctx context.Context, s *stage, round string) (*subject, error) {
	ns, address, err := s.startPart(ctx, "ns", append(s.flood.Args(), "--held")...)
	if err != nil {
		return nil, err
	}
	subject, err := startLorryWith(ctx, s, round, ns, address)
	if err != nil {
		return nil, err
	}
	subject.begin = beginBy(ns)
	_, err = watch(ctx, subject.gauge, lorryConnected, reaches(float64(max(1, s.fleet))), subject.program, ns)
	return subject, err
}

// startSyncingLorry is startLorry of one that has every frame on the disk before it goes on.
func startSyncingLorry(ctx context.Context, s *stage, round string) (*subject, error) {
	s.sync = "always"
	return startLorry(ctx, s, round)
}

func startLorryWith(ctx context.Context, s *stage, round string, ns *process.Process, address string) (*subject, error) {
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
