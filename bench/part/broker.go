package part

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// Broker is an MQTT broker that can be away for a while, for publishers: it would bring frames out of order to a
// subscriber that comes back.
type Broker struct {
	Listen      string // for publishers: away from SIGUSR1 to SIGUSR2
	Subscribers string // for subscribers: never away
}

// Run serves until ctx ends.
func (b Broker) Run(ctx context.Context) (err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	defer signal.Stop(signals)
	door, err := newGate(b.Listen)
	if err != nil {
		return err
	}
	server, err := b.start(door)
	if err != nil {
		return errors.Join(err, door.Close())
	}
	defer func() { err = errors.Join(err, closeBroker(server)) }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-signals:
			if s == syscall.SIGUSR1 {
				door.Away()
			} else if err := door.Back(); err != nil {
				return err
			}
		}
	}
}

// closeTimeout bounds how long a broker may take to close.
const closeTimeout = 5 * time.Second

// closeBroker ends a broker, or gives up: mochi's Close hangs for good if a client goes while it looks for those
// that are there. The process ends in any case.
func closeBroker(server *mochi.Server) error {
	closed := make(chan error, 1)
	go func() { closed <- server.Close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(closeTimeout):
		return nil
	}
}

// start starts a mochi that drops nothing for a slow subscriber, as far as 16-bit packet identifiers allow.
func (b Broker) start(door net.Listener) (*mochi.Server, error) {
	capabilities := mochi.NewDefaultServerCapabilities()
	capabilities.MaximumInflight = math.MaxUint16
	capabilities.MaximumClientWritesPending = math.MaxUint16
	server := mochi.New(&mochi.Options{Capabilities: capabilities, Logger: slog.New(slog.DiscardHandler)})
	err := errors.Join(
		server.AddHook(new(auth.AllowHook), nil),
		server.AddListener(listeners.NewNet("publishers", door)),
		server.AddListener(listeners.NewTCP(listeners.Config{ID: "subscribers", Address: b.Subscribers})),
	)
	if err == nil {
		err = server.Serve()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the MQTT broker: %w", err), server.Close())
	}
	return server, nil
}
