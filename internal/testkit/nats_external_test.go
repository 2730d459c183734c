package testkit

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestAnExternalNATSServerComesBackWithItsStore(t *testing.T) {
	t.Parallel()
	server := StartExternalNATS(t)
	conn := server.Connect()
	changed := conn.StatusChanged(nats.CONNECTED, nats.RECONNECTING)
	_, err := conn.JetStream.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	if err != nil {
		t.Fatal(err)
	}
	for n := uint64(1); n <= 2; n++ {
		ack, err := conn.JetStream.Publish(t.Context(), "s", nil)
		if err != nil || ack.Sequence != n {
			t.Fatalf("publish %d: %+v, %v", n, ack, err)
		}
		server.Stop()
		server.Stop()
		awaitNATS(t, changed, nats.RECONNECTING)
		if _, err := conn.JetStream.Publish(t.Context(), "s", nil); err == nil {
			t.Error("something answers for a server that is stopped")
		}
		server.Start()
		server.Start()
		awaitNATS(t, changed, nats.CONNECTED)
	}
}

func awaitNATS(t *testing.T, changed <-chan nats.Status, want nats.Status) {
	t.Helper()
	timeout := time.After(Patience)
	for {
		select {
		case got := <-changed:
			if got == want {
				return
			}
		case <-timeout:
			t.Fatalf("the connection to NATS is not %s", want)
		}
	}
}
