package app_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/lorry-mqtt/lorry/internal/app"
	"github.com/lorry-mqtt/lorry/internal/config"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "a-token-for-tests"

// startNS starts a simulated Network Server that accepts any filter.
func startNS(t *testing.T) *simulator.NS {
	t.Helper()
	ns, err := simulator.New(simulator.Config{
		Seed: 1, Tokens: []string{token}, Filters: map[string]simulator.Filter{simulator.AnyFilter: {}}, Record: 10_000,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := ns.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ns.Close)
	return ns
}

// node is the configuration of a node on loopback with the given connections.
func node(t *testing.T, ns *simulator.NS, connections ...connection.Spec) config.Config {
	t.Helper()
	cfg := config.Defaults()
	cfg.Node.Name = "n1"
	cfg.HTTP.Listen = "127.0.0.1:0"
	cfg.NATS.Embedded.Dir = t.TempDir()
	cfg.Buffer.MaxBytes = 64 << 20
	cfg.Source = config.Source{URL: ns.URL(), AccessToken: secret.New(token)}
	for _, c := range connections {
		cfg.Connections = append(cfg.Connections, c.WithDefaults(cfg.Source))
	}
	if err := cfg.Validate().Err(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func spec(id, uri string) connection.Spec {
	s := connection.Defaults()
	s.ID, s.URI, s.Filter = id, connection.NewURI(uri), "59ae890a63c0f30009e95709"
	s.TopicUp, s.TopicDown = "lora/{type}/{device}", "downstream"
	return s
}

// start starts a node that stops with the test.
func start(t *testing.T, cfg config.Config) *app.App {
	t.Helper()
	a, _ := startAndStop(t, cfg)
	return a
}

// startAndStop starts a node that stops with the test at the latest.
func startAndStop(t *testing.T, cfg config.Config) (a *app.App, stop func()) {
	t.Helper()
	a, err := app.New(cfg, zerolog.Nop(), "test", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return a, stop
}

// await waits until the status of all connections is as wanted.
func await(t *testing.T, a *app.App, want func(messages.Status) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	for {
		all, err := a.Status()
		if err != nil {
			t.Fatal(err)
		}
		done := true
		for _, s := range all {
			done = done && want(s)
		}
		if done {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("status %+v", all)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func streaming(s messages.Status) bool {
	return s.State == telemetry.Connected && s.Source.State == messages.SourceStreaming
}

func get(t *testing.T, a *app.App, path string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.HTTPAddress()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	var text strings.Builder
	if err := response.Write(&text); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, text.String()
}

func TestANodeHaulsFramesAndSaysHow(t *testing.T) {
	ns, broker := startNS(t), testkit.StartBroker(t)
	a := start(t, node(t, ns, spec("acme", broker.URI("mqtt"))))
	await(t, a, streaming)
	for range 10 {
		if _, err := ns.Emit(simulator.Order{}); err != nil {
			t.Fatal(err)
		}
	}
	broker.AwaitPublished(10)
	await(t, a, func(s messages.Status) bool { return s.Counters.Acknowledged == 10 })
	for path, want := range map[string]string{
		"/healthz": "ok", "/readyz": "ready", "/metrics": `lorry_connection_acknowledged_total{connection="acme"} 10`,
	} {
		if status, body := get(t, a, path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if _, body := get(t, a, "/metrics"); !strings.Contains(body, "lorry_node_buffer_bytes ") {
		t.Error("the buffer's size is not among the metrics")
	}
}

func TestRunEndsWithItsContextAlsoWhileItStarts(t *testing.T) {
	ns := startNS(t)
	a, err := app.New(node(t, ns), zerolog.Nop(), "test", "")
	if err != nil {
		t.Fatal(err)
	}
	if a.Ready() == nil {
		t.Error("ready before it was started")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Run(ctx); err != nil {
		t.Error(err)
	}
	if a.Ready() == nil {
		t.Error("ready after it has ended")
	}
}

func TestAnAddressThatIsTakenLeavesNothingRunning(t *testing.T) {
	ns := startNS(t)
	first := start(t, node(t, ns))
	cfg := node(t, ns)
	cfg.HTTP.Listen = first.HTTPAddress()
	a, err := app.New(cfg, zerolog.Nop(), "test", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "http.listen") {
		t.Errorf("error %v", err)
	}
}
