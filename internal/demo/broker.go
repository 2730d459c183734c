package demo

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// leaveTimeout bounds how long the broker's clients may take to go.
const leaveTimeout = 5 * time.Second

// startBroker starts an MQTT broker on a free loopback port that lets everybody in.
func startBroker() (*mochi.Server, string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", fmt.Errorf("start the MQTT broker: %w", err)
	}
	server := mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := server.AddHook(new(auth.AllowHook), nil); err != nil {
		return nil, "", fmt.Errorf("start the MQTT broker: %w", err)
	}
	if err := server.AddListener(listeners.NewNet("demo", listener)); err != nil {
		return nil, "", fmt.Errorf("start the MQTT broker: %w", err)
	}
	if err := server.Serve(); err != nil {
		return nil, "", fmt.Errorf("start the MQTT broker: %w", err)
	}
	return server, listener.Addr().String(), nil
}

// stopBroker ends a broker whose clients have taken their leave. It waits until they are gone, for a short time:
// mochi's Close hangs for good if a client goes while it looks for those that are there.
func stopBroker(server *mochi.Server) error {
	timeout := time.NewTimer(leaveTimeout)
	defer timeout.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for server.Clients.Len() > 0 {
		select {
		case <-tick.C:
		case <-timeout.C:
			return errors.New("the MQTT broker's clients do not go")
		}
	}
	if err := server.Close(); err != nil {
		return fmt.Errorf("stop the MQTT broker: %w", err)
	}
	return nil
}
