package testkit

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/natsconn"
)

// NATS is an embedded NATS server with JetStream in a directory of the test's, and a connection to it.
type NATS struct {
	*natsconn.Conn
	Dir string
	t   testing.TB
}

// StartNATS starts an embedded server that ends with the test.
func StartNATS(t testing.TB) *NATS {
	t.Helper()
	n := &NATS{Dir: t.TempDir(), t: t}
	n.start()
	t.Cleanup(n.Stop)
	return n
}

// Restart stops the server and starts one on the same store.
func (n *NATS) Restart() {
	n.t.Helper()
	n.Stop()
	n.start()
}

// Stop stops the server; the store stays.
func (n *NATS) Stop() {
	n.t.Helper()
	if n.Conn == nil {
		return
	}
	if err := n.Conn.Close(); err != nil {
		n.t.Errorf("stop the embedded NATS server: %v", err)
	}
	n.Conn = nil
}

func (n *NATS) start() {
	n.t.Helper()
	conn, err := natsconn.Open(context.Background(), natsconn.Config{
		Name:     "testkit",
		Embedded: natsconn.Embedded{Dir: n.Dir, SyncInterval: time.Minute},
	}, zerolog.Nop())
	if err != nil {
		n.t.Fatalf("start an embedded NATS server in %s: %v", n.Dir, err)
	}
	n.Conn = conn
}
