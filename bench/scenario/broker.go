package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
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

// startBroker starts the broker that was chosen.
func (s *stage) startBroker(ctx context.Context) (err error) {
	program, installed := findMosquitto()
	if s.Broker == Mosquitto && !installed {
		return errors.New("mosquitto is not installed; on Debian: apt-get install mosquitto")
	}
	s.broker = &broker{kind: Mochi, name: "mochi (embedded)", program: program}
	if s.Broker == Mochi || !installed {
		if s.broker.subscribers, err = process.FreeAddress(); err != nil {
			return err
		}
		s.broker.process, s.broker.address, err = s.startPart(ctx, "broker", "--subscribers", s.broker.subscribers)
		return err
	}
	s.broker.kind, s.broker.name = Mosquitto, mosquittoVersion(ctx, program)
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

// configureMosquitto writes a configuration that keeps what a subscriber is owed while it is not there, also over a
// restart, and that delays nobody: without set_tcp_nodelay every publisher waits 8 to 17 ms.
func (s *stage) configureMosquitto() error {
	host, port, _ := strings.Cut(s.broker.address, ":")
	conf := fmt.Sprintf(`listener %s %s
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 0
max_inflight_messages 1000
persistence true
persistence_location %s/
autosave_interval 0
log_dest stderr
log_type error
log_type warning
`, port, host, s.dir)
	if os.Geteuid() == 0 {
		conf += "user root\n" // else it could not write to the directory
	}
	if err := os.WriteFile(s.path("mosquitto.conf"), []byte(conf), 0o600); err != nil {
		return fmt.Errorf("configure mosquitto: %w", err)
	}
	return nil
}

// findMosquitto also looks where Debian has it, which is not on the PATH of an ordinary user.
func findMosquitto() (program string, found bool) {
	for _, name := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if program, err := exec.LookPath(name); err == nil {
			return program, true
		}
	}
	return "", false
}

// mosquittoVersion asks the program for it, in its help, which exits with status 3.
func mosquittoVersion(ctx context.Context, program string) string {
	help, _ := exec.CommandContext(ctx, program, "-h").Output()
	version := regexp.MustCompile(`version ([0-9.]+)`).FindSubmatch(help)
	if version == nil {
		return "mosquitto"
	}
	return "mosquitto " + string(version[1])
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
