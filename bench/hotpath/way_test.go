package hotpath

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/app"
	"github.com/lorry-mqtt/lorry/internal/config"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// BenchmarkWay takes frames all the way through a lorry in this process: off the Network Server's socket, into the store's
// files, out to a broker, until the PUBACK is there. It allocates what lorry does, the MQTT library and the embedded
// JetStream among it; the simulated Network Server allocates next to nothing, and the broker nothing. Take a number of
// frames with which the start weighs little: -benchtime 200000x.
func BenchmarkWay(b *testing.B) {
	broker := newSink(b)
	broker.wanted.Store(int64(b.N))
	ns, err := simulator.New(simulator.Config{
		Devices: 100, Filters: map[string]simulator.Filter{"bench": {}},
		Flood: simulator.Flood{Size: frameSize, Frames: uint64(b.N), Held: true},
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := ns.Start("127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(ns.Close)
	startNode(b, ns.Addr(), broker.listener.Addr().String())
	if err := ns.Await(b.Context(), func(s simulator.Stats) bool { return s.Streams == 1 }); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	ns.Release()
	<-broker.all
	b.StopTimer()
	reportRate(b)
}

// startNode starts a lorry with one connection, which ends with the benchmark.
func startNode(b *testing.B, ns, broker string) {
	b.Helper()
	dir := b.TempDir()
	file := filepath.Join(dir, "lorry.yaml")
	text := fmt.Sprintf(`node: {name: bench}
http: {listen: "127.0.0.1:0"}
nats: {embedded: {dir: %q}}
connections:
- {id: bench, uri: "mqtt://%s", filter: bench, topic_up: "lora/{type}/{device}", source: {url: "ws://%s/api/v1.0/data", access_token: bench}}
`, filepath.Join(dir, "store"), broker, ns)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	cfg, err := config.Load(file, nil)
	if err != nil {
		b.Fatal(err)
	}
	node, err := app.New(cfg, zerolog.Nop(), "bench", "")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- node.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Errorf("the node: %v", err)
		}
	})
}
