package actors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// benchSource gives a fixed number of frames as fast as they are read.
type benchSource struct {
	frame dataapi.Frame
	left  int
	batch int
}

func (s *benchSource) Read(ctx context.Context) ([]source.Frame, error) {
	if s.left == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	out := make([]source.Frame, min(s.left, s.batch))
	for i := range out {
		out[i] = s.frame
	}
	s.left -= len(out)
	return out, nil
}

func (s *benchSource) Write(context.Context, []byte) error { return errors.New("no downlinks here") }
func (s *benchSource) Close() error                        { return nil }

// benchBroker acknowledges every publish at once.
type benchBroker struct {
	events broker.Events
	acked  atomic.Int64
	all    int64
	done   chan struct{}
}

func (b *benchBroker) Publish(m broker.Message) error {
	b.events.Acknowledged(m.Seq)
	if b.acked.Add(1) == b.all {
		close(b.done)
	}
	return nil
}
func (b *benchBroker) Subscribe(context.Context, string) error { return nil }
func (b *benchBroker) Close()                                  {}

// BenchmarkRoute is a frame's way from the source's session to the broker's, with a real store and without a
// network: what the tree itself costs.
func BenchmarkRoute(b *testing.B) {
	raw := []byte(`{"type":"uplink","meta":{"device":"70b3d57ed0000001","time":1795476618.632578},"params":{"payload":"`)
	raw = append(append(raw, bytes.Repeat([]byte("A"), 560-len(raw)-3)...), `"}}`...)
	envelope, err := dataapi.Scan(raw)
	if err != nil {
		b.Fatal(err)
	}
	for _, batch := range []int{1, 100} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			sink := &benchBroker{all: int64(b.N), done: make(chan struct{})}
			deps := Deps{
				Node: "bench", Metrics: telemetry.NewMetrics("bench", ""), Log: zerolog.Nop(),
				ConnectBroker: func(_ context.Context, _ broker.Options, events broker.Events) (BrokerSession, error) {
					sink.events = events
					return sink, nil
				},
				DialSource: func(context.Context, source.WebSocketOptions) (source.Session, error) {
					return &benchSource{frame: dataapi.Frame{Raw: raw, Envelope: envelope, Received: time.Now()}, left: b.N, batch: batch}, nil
				},
			}
			tree := benchTree(b, &deps)
			spec := connection.Defaults()
			spec.ID, spec.TopicUp, spec.URI = "acme", "lora/{type}/{device}", connection.NewURI("mqtt://127.0.0.1")
			b.ReportAllocs()
			b.ResetTimer()
			if err := tree.Put(spec); err != nil {
				b.Fatal(err)
			}
			<-sink.done
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
		})
	}
}

func benchTree(b *testing.B, deps *Deps) *Tree {
	b.Helper()
	nats := testkit.StartNATS(b)
	var err error
	if deps.Store, err = buffer.Open(b.Context(), nats.JetStream, buffer.Config{Replicas: 1}); err != nil {
		b.Fatal(err)
	}
	if deps.Cursors, err = buffer.OpenCursors(b.Context(), nats.JetStream, 1); err != nil {
		b.Fatal(err)
	}
	if deps.Parked, err = buffer.OpenParked(b.Context(), nats.JetStream, 1); err != nil {
		b.Fatal(err)
	}
	tree, err := Start(*deps)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := tree.Stop(context.Background(), time.Second); err != nil {
			b.Error(err)
		}
	})
	return tree
}
