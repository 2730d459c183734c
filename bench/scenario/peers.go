package scenario

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/process"
)

// startRawPublisherAt starts one that publishes to a broker at an address when it is told to.
func (s *stage) startRawPublisherAt(ctx context.Context, broker string) (*process.Process, string, error) {
	args := append(s.flood.Args(), "--broker", broker, "--window", strconv.Itoa(s.Window), "--held")
	return s.startPart(ctx, "raw-publisher", args...)
}

func startRawPublisher(ctx context.Context, s *stage, _ string) (*subject, error) {
	program, numbers, err := s.startRawPublisherAt(ctx, s.broker.address)
	if err != nil {
		return nil, err
	}
	return &subject{
		program: program, gauge: process.NewGauge(numbers), counter: part.RawPublisherAcknowledged, begin: beginBy(program),
	}, nil
}

// startReader measures the simulated Network Server itself: who reads does nothing else.
func startReader(ctx context.Context, s *stage, _ string) (*subject, error) {
	ns, address, err := s.startPart(ctx, "ns", append(s.flood.Args(), "--held")...)
	if err != nil {
		return nil, err
	}
	program, numbers, err := s.startPart(ctx, "reader", append(s.flood.Args(), "--ns", address)...)
	if err != nil {
		return nil, err
	}
	return &subject{program: program, ns: ns, gauge: process.NewGauge(numbers), counter: part.ReaderReceived, begin: beginBy(ns)}, nil
}

// The roles of the NATS server under the afternoon bridge. It stores the frames before the bridge is started: that is
// work which lorry does too, and so it is charged, but whoever feeds it takes nothing from the bridge's rate.
const (
	roleNATSStoring    = "NATS server, storing"
	roleNATSDelivering = "NATS server, delivering"
)

func startBridge(ctx context.Context, s *stage, _ string) (*subject, error) {
	nats, address, err := s.startPart(ctx, "nats", "--dir", s.path("nats"))
	if err != nil {
		return nil, err
	}
	storing, err := s.store(ctx, nats, address)
	if err != nil {
		return nil, err
	}
	program, numbers, err := s.startPart(ctx, "bridge", "--nats", address, "--broker", s.broker.address, "--window", strconv.Itoa(s.Window))
	if err != nil {
		return nil, err
	}
	return &subject{
		program: program, with: []payer{{role: roleNATSDelivering, own: true, process: nats}}, before: costs{storing},
		gauge: process.NewGauge(numbers), counter: part.BridgeAcknowledged,
	}, nil
}

// store has the flood stored, and says what that cost the NATS server.
func (s *stage) store(ctx context.Context, nats *process.Process, address string) (cost, error) {
	payers := []payer{{role: roleNATSStoring, own: true, process: nats}}
	before, err := spent(processes(payers))
	if err != nil {
		return cost{}, err
	}
	feeder, numbers, err := s.startPart(ctx, "feeder", append(s.flood.Args(), "--nats", address)...)
	if err != nil {
		return cost{}, err
	}
	frames := float64(s.flood.Frames)
	if _, err := watch(ctx, process.NewGauge(numbers), part.FeederStored, reaches(frames), feeder, nats); err != nil {
		return cost{}, err
	}
	after, err := spent(processes(payers))
	if err != nil {
		return cost{}, err
	}
	charged, _ := charge(payers, before, after, frames)
	return charged[0], feeder.Stop()
}

// startMosquittoBridge starts a second mosquitto that passes on what a raw publisher sends it.
func startMosquittoBridge(ctx context.Context, s *stage, _ string) (*subject, error) {
	tally, numbers, err := s.startPart(ctx, "tally", append(s.flood.Args(), "--broker", s.broker.address)...)
	if err != nil {
		return nil, err
	}
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	conf, err := process.MosquittoBridgeConfiguration(address, s.broker.address, part.TopicFilter, s.Window)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(s.path("bridge.conf"), []byte(conf), 0o600); err != nil {
		return nil, fmt.Errorf("configure the mosquitto bridge: %w", err)
	}
	program, err := s.start(ctx, "mosquitto-bridge", address, s.broker.program, "-c", s.path("bridge.conf"))
	if err != nil {
		return nil, err
	}
	feeder, _, err := s.startRawPublisherAt(ctx, address)
	if err != nil {
		return nil, err
	}
	return &subject{
		program: program, with: []payer{{role: roleFeeder, process: feeder}, {process: tally}},
		gauge: process.NewGauge(numbers), counter: part.TallyReceived, begin: beginBy(feeder),
	}, nil
}
