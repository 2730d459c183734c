package api

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/eventlog"
	"github.com/lorry-mqtt/lorry/internal/registry"
	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

// stage is a server with a registry of its own, and others' parts as it was told to play them.
type stage struct {
	*Server
	t       *testing.T
	service Service
	runner  *fakeRunner
}

const (
	admin    = "admin-0123456789abcdef"
	reader   = "reader-0123456789abcdef"
	acme     = "acme-0123456789abcdef" // sees customer=acme only
	nsToken  = "the-nodes-own-ns-token"
	password = "hunter2-the-password"
)

var sourceDefaults = connection.SourceDefaults{URL: "wss://ns.example/api/v1.0/data", AccessToken: secret.New(nsToken)}

// newStage starts a server with three tokens. change may change what it consists of, before it starts.
func newStage(t *testing.T, change func(*Options, *Service), static ...connection.Spec) *stage {
	t.Helper()
	r, err := registry.Open(t.Context(), testkit.StartNATS(t).JetStream, 1, static, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		r.Watch(ctx, func(id string) {
			if r.Leaving(id) { // what runs the connections does, when it has ended it
				watching.Go(func() { _ = r.Forget(ctx, id) })
			}
		})
	})
	t.Cleanup(func() { cancel(); watching.Wait() })
	<-r.Synced()
	s := &stage{t: t, runner: &fakeRunner{states: map[string]telemetry.State{}}}
	s.service = Service{Registry: r, Runner: s.runner, Events: eventlog.New(), Source: sourceDefaults,
		Prober: fakeProber{}, Replayer: fakeReplayer{}, Parked: fakeParked{}}
	o := options()
	o.Tokens = []Token{token(admin, true, ""), token(reader, false, ""), token(acme, true, "customer=acme")}
	if change != nil {
		change(&o, &s.service)
	}
	s.Server = start(t, o)
	s.Serve(s.service)
	return s
}

// request is what is asked; what is left out is usual.
type request struct {
	method, path, token, body string
	header                    map[string]string
}

// do asks the API.
func (s *stage) do(r request) answer {
	s.t.Helper()
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	q, err := http.NewRequestWithContext(s.t.Context(), r.method, "http://"+s.Address()+Prefix+r.path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	q.Close = true
	if r.body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	if r.token == "" {
		r.token = admin
	}
	q.Header.Set("Authorization", "Bearer "+r.token)
	for name, value := range r.header {
		q.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// want asks, and fails the test unless the status is that.
func (s *stage) want(status int, r request) answer {
	s.t.Helper()
	got := s.do(r)
	if got.status != status {
		s.t.Fatalf("%s %s: %d, want %d: %s", r.method, r.path, got.status, status, got.body)
	}
	return got
}

// body decodes an answer.
func body[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

// written is a connection as a client writes it.
func written(id, more string) string {
	return `{"id": "` + id + `", "uri": "mqtts://user:` + password + `@broker.example", "filter": "f", "topic_up": "lora/{type}"` + more + `}`
}

func (s *stage) create(id, more string) answer {
	s.t.Helper()
	return s.want(http.StatusCreated, request{method: "POST", path: "/connections", body: written(id, more)})
}

type fakeRunner struct {
	mu       sync.Mutex
	states   map[string]telemetry.State
	restarts []string
}

func (f *fakeRunner) set(id string, state telemetry.State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.states[id] = state
}

func (f *fakeRunner) Summary(id string) Summary { return Summary{State: f.state(id)} }

func (f *fakeRunner) state(id string) telemetry.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := f.states[id]; ok {
		return s
	}
	return telemetry.Connected
}

func (f *fakeRunner) Status(id string) messages.Status {
	return messages.Status{ID: id, State: f.state(id), Node: "n1", Since: time.Now(), Broker: messages.BrokerStatus{State: f.state(id)},
		Source: messages.SourceStatus{State: messages.SourceStreaming}}
}

func (f *fakeRunner) Restart(id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.restarts = append(f.restarts, id)
	return nil
}

func (f *fakeRunner) Nodes(context.Context) ([]Node, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return []Node{{Name: "n1", State: "up", Version: "test", Connections: slices.Sorted(maps.Keys(f.states))}}, nil
}

type fakeProber struct{}

func (fakeProber) Probe(_ context.Context, spec connection.Spec) ProbeReport {
	return ProbeReport{
		OK: true, Broker: []ProbeStage{{Name: "dns", OK: spec.Source.URL != "", Duration: connection.Duration(time.Millisecond)}}, Source: []ProbeStage{},
	}
}

type fakeReplayer struct{}

func (fakeReplayer) Count(context.Context, string, time.Time, time.Time) (uint64, error) {
	return 7, nil
}
func (fakeReplayer) Start(context.Context, string, time.Time, time.Time) error { return nil }

type fakeParked struct{}

func (fakeParked) List(_ context.Context, _ string, after uint64, limit int) ([]ParkedFrame, error) {
	var frames []ParkedFrame
	for seq := after + 1; seq <= 3 && len(frames) < limit; seq++ {
		frames = append(frames, ParkedFrame{Seq: seq, Number: seq, Topic: "lora/x", Reason: "too large", Attempts: 1, Payload: "{}"})
	}
	return frames, nil
}

func (fakeParked) Resend(_ context.Context, _ string, seq uint64) error { return parkedOrNot(seq) }
func (fakeParked) Drop(_ context.Context, _ string, seq uint64) error   { return parkedOrNot(seq) }

func parkedOrNot(seq uint64) error {
	if seq > 3 {
		return registry.ErrNotFound
	}
	return nil
}
