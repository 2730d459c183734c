package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/natsconn"
	"github.com/lorry-mqtt/lorry/internal/registry"
)

// openStore opens a node's store while the node is down.
func openStore(t *testing.T, dir string) *natsconn.Conn {
	t.Helper()
	conn, err := natsconn.Open(t.Context(), natsconn.Config{
		Name: "n1", Embedded: natsconn.Embedded{Dir: dir, SyncInterval: time.Minute},
	}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// openRegistry reads what is in the registry now.
func openRegistry(t *testing.T, conn *natsconn.Conn) *registry.Registry {
	t.Helper()
	r, err := registry.Open(t.Context(), conn.JetStream, 1, nil, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Watch(ctx, func(string) {})
	}()
	<-r.Synced()
	cancel()
	<-ended
	return r
}
