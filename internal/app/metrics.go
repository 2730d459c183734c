package app

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lorry-mqtt/lorry/internal/buffer"
)

// askTimeout bounds how long a scrape waits for the store.
const askTimeout = 2 * time.Second

// bufferBytes is the size of the buffer, asked for when it is scraped; NaN when the store does not answer.
func bufferBytes(store *buffer.Store) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "lorry_node_buffer_bytes", Help: "Disk space that the frames of all connections take.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
		defer cancel()
		bytes, err := store.Bytes(ctx)
		if err != nil {
			return math.NaN()
		}
		return float64(bytes)
	})
}
