package demo

import (
	"fmt"
	"io"
	"log/slog"
	"net"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

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
