package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/lorry-mqtt/lorry/bench/process"
)

// The brokers. Without a choice it is mosquitto, or mochi where there is none.
const (
	Mosquitto = "mosquitto"
	Mochi     = "mochi"
)

// broker is the MQTT broker of a stage.
type broker struct {
	kind    string // Mosquitto or Mochi
	name    string // the kind, with its version
	program string // of mosquitto
	address string
	process *process.Process

	subscribers string // address for subscribers
}

// brokerKind is the one that was chosen, or what is there.
func (o *Options) brokerKind() string {
	if o.Broker != "" {
		return o.Broker
	}
	if _, installed := process.FindMosquitto(); installed {
		return Mosquitto
	}
	return Mochi
}

// startBroker starts the broker that was chosen.
func (s *stage) startBroker(ctx context.Context) (err error) {
	program, installed := process.FindMosquitto()
	if s.Broker == Mosquitto && !installed {
		return errors.New("mosquitto is not installed; on Debian: apt-get install mosquitto")
	}
	s.broker = &broker{kind: Mochi, name: "mochi (embedded)", program: program}
	if s.brokerKind() == Mochi {
		if s.broker.subscribers, err = process.FreeAddress(); err != nil {
			return err
		}
		s.broker.process, s.broker.address, err = s.startPart(ctx, "broker", "--subscribers", s.broker.subscribers)
		return err
	}
	s.broker.kind, s.broker.name = Mosquitto, process.MosquittoVersion(ctx, program)
	if s.broker.address, err = process.FreeAddress(); err != nil {
		return err
	}
	s.broker.subscribers = s.broker.address
	if err := s.configureMosquitto(); err != nil {
		return err
	}
	return s.startMosquitto(ctx)
}

func (s *stage) startMosquitto(ctx context.Context) (err error) {
	s.broker.process, err = s.start(ctx, "mosquitto", s.broker.address, s.broker.program, "-c", s.path("mosquitto.conf"))
	return err
}

// configureMosquitto writes its configuration.
func (s *stage) configureMosquitto() error {
	conf, err := process.MosquittoConfiguration(s.broker.address, s.dir)
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.path("mosquitto.conf"), []byte(conf), 0o600); err != nil {
		return fmt.Errorf("configure mosquitto: %w", err)
	}
	return nil
}

// brokerGone takes the broker away: nothing listens at its address.
func (s *stage) brokerGone() error {
	if s.broker.kind == Mochi {
		return s.broker.process.Signal(syscall.SIGUSR1)
	}
	return s.broker.process.Stop()
}

// brokerBack brings it back, with the sessions it had.
func (s *stage) brokerBack(ctx context.Context) error {
	if s.broker.kind == Mosquitto {
		return s.startMosquitto(ctx)
	}
	if err := s.broker.process.Signal(syscall.SIGUSR2); err != nil {
		return err
	}
	return s.broker.process.AwaitListening(ctx, s.broker.address)
}
