package testkit

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/faultywire"
	"github.com/lorry-mqtt/lorry/internal/natsconn"
)

// ExternalNATS is a NATS server on loopback as a process of its own would be: it can go and come back under its
// clients. Its address and its store stay the same.
type ExternalNATS struct {
	t      testing.TB
	dir    string
	port   *faultywire.Port
	server *natsconn.Conn // nil while stopped
}

// StartExternalNATS starts a server that ends with the test.
func StartExternalNATS(t testing.TB) *ExternalNATS {
	t.Helper()
	n := &ExternalNATS{t: t, dir: t.TempDir()}
	p, err := faultywire.ReservePort()
	if err != nil {
		t.Fatalf("testkit: start a NATS server: %v", err)
	}
	n.port = p
	t.Cleanup(func() {
		n.Stop()
		p.Release()
	})
	n.Start()
	return n
}

// Start starts the server again. Starting a running one does nothing.
func (n *ExternalNATS) Start() {
	n.t.Helper()
	if n.server != nil {
		return
	}
	server, err := natsconn.Open(context.Background(), natsconn.Config{
		Name:     "testkit",
		Embedded: natsconn.Embedded{Dir: n.dir, Listen: n.port.Address(), SyncInterval: time.Minute},
	}, zerolog.Nop())
	if err != nil {
		n.t.Fatalf("testkit: start a NATS server at %s: %v", n.port.Address(), err)
	}
	n.server = server
}

// Stop stops the server. Stopping a stopped one does nothing.
func (n *ExternalNATS) Stop() {
	n.t.Helper()
	if n.server == nil {
		return
	}
	if err := n.server.Close(); err != nil {
		n.t.Errorf("testkit: stop a NATS server: %v", err)
	}
	n.server = nil
}

// Connect opens a connection to the server, as a node does whose configuration names its URL. It ends with the test.
func (n *ExternalNATS) Connect() *natsconn.Conn {
	n.t.Helper()
	conn, err := natsconn.Open(context.Background(), natsconn.Config{Name: "testkit", URL: "nats://" + n.port.Address()}, zerolog.Nop())
	if err != nil {
		n.t.Fatalf("testkit: connect to the NATS server at %s: %v", n.port.Address(), err)
	}
	n.t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			n.t.Errorf("testkit: close the connection to the NATS server: %v", err)
		}
	})
	return conn
}
