package part

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/natsconn"
)

// NATS is a NATS server with JetStream, for lorry to use by nats.url.
type NATS struct {
	Listen string
	Dir    string // of its store
}

// Run serves until ctx ends.
func (n NATS) Run(ctx context.Context) error {
	server, err := natsconn.Open(ctx, natsconn.Config{
		Name:     "bench",
		Embedded: natsconn.Embedded{Dir: n.Dir, Listen: n.Listen, SyncInterval: time.Second},
	}, zerolog.New(os.Stderr).Level(zerolog.InfoLevel).With().Timestamp().Logger())
	if err != nil {
		return fmt.Errorf("start a NATS server on %s: %w", n.Listen, err)
	}
	<-ctx.Done()
	return server.Close()
}
