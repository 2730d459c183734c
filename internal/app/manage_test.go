package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/app"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/config"
	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// operator manages a node over its API, and keeps all that it was answered.
type operator struct {
	t     *testing.T
	app   *app.App
	token string
	http  *http.Client
	heard *transcript
}

// transcript is what was written, by any goroutine.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func operate(t *testing.T, a *app.App) *operator {
	t.Helper()
	o := &operator{t: t, app: a, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}, heard: &transcript{}}
	t.Cleanup(o.http.CloseIdleConnections)
	return o
}

// ask sends a request and returns status and body.
func (o *operator) ask(method, path, body string) (status int, answer string) {
	o.t.Helper()
	q, err := http.NewRequestWithContext(o.t.Context(), method, "http://"+o.app.HTTPAddress()+path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	if o.token != "" {
		q.Header.Set("Authorization", "Bearer "+o.token)
	}
	response, err := o.http.Do(q)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	for name, values := range response.Header {
		_, _ = fmt.Fprintln(o.heard, name, values)
	}
	_, _ = o.heard.Write(text)
	return response.StatusCode, string(text)
}

func (o *operator) want(status int, method, path, body string) string {
	o.t.Helper()
	got, answer := o.ask(method, "/api/v1"+path, body)
	if got != status {
		o.t.Fatalf("%s %s: %d, want %d: %s", method, path, got, status, answer)
	}
	return answer
}

// await asks until the answer is as wanted.
func (o *operator) await(what, path string, wanted func(answer string) bool) {
	o.t.Helper()
	timeout := time.After(3 * testkit.Patience)
	for {
		answer := o.want(http.StatusOK, http.MethodGet, path, "")
		if wanted(answer) {
			return
		}
		select {
		case <-timeout:
			o.t.Fatalf("waited in vain for %s: %s", what, answer)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func has(text string) func(string) bool {
	return func(answer string) bool { return strings.Contains(answer, text) }
}

func written(id, uri, more string) string {
	return fmt.Sprintf(`{"id": %q, "uri": %q, "filter": "59ae890a63c0f30009e95709", "topic_up": "lora/%s/{type}/{device}", "topic_down": "to/%s"%s}`, id, uri, id, id, more)
}

// A connection that is deleted leaves nothing, and the next of its ID begins anew.
func TestADeletedConnectionLeavesNothing(t *testing.T) {
	ns, broker := startNS(t), testkit.StartBroker(t)
	a := start(t, node(t, ns))
	o := operate(t, a)
	o.want(201, "POST", "/connections", written("acme", broker.URI("mqtt"), ""))
	o.await("connected", "/connections/acme/status", has(`"state":"streaming"`))
	broker.Stop()
	for range 20 {
		if _, err := ns.Emit(simulator.Order{}); err != nil {
			t.Fatal(err)
		}
	}
	o.await("all stored", "/connections/acme/status", has(`"stored":20`))
	o.want(204, "DELETE", "/connections/acme", "")
	timeout := time.After(testkit.Patience)
	for { // refused while the one before leaves
		status, answer := o.ask("POST", "/api/v1/connections", written("acme", broker.URI("mqtt"), ""))
		if status == 201 {
			break
		}
		if status != 409 || !strings.Contains(answer, "is being deleted") {
			t.Fatalf("%d %s", status, answer)
		}
		select {
		case <-timeout:
			t.Fatal("it never leaves")
		case <-time.After(10 * time.Millisecond):
		}
	}
	broker.Start()
	o.await("connected again", "/connections/acme/status", has(`"state":"connected"`))
	o.await("streaming again", "/connections/acme/status", has(`"state":"streaming"`))
	if _, err := ns.Emit(simulator.Order{}); err != nil {
		t.Fatal(err)
	}
	o.await("the new one", "/connections/acme/status", has(`"acknowledged":1,`))
	if n := len(broker.Published()); n != 1 {
		t.Errorf("%d messages published, want the one since", n)
	}
}

// What a crash left of a deletion is done at the next start.
func TestADeletionSurvivesACrash(t *testing.T) {
	ns, broker := startNS(t), testkit.StartBroker(t)
	cfg := node(t, ns)
	a, stop := startAndStop(t, cfg)
	operate(t, a).want(201, "POST", "/connections", written("acme", broker.URI("mqtt"), ""))
	stop()
	// Somebody deletes it while nobody runs it.
	nats := openStore(t, cfg.NATS.Embedded.Dir)
	r := openRegistry(t, nats)
	e, err := r.Get("acme")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Delete(t.Context(), "acme", e.Revision); err != nil {
		t.Fatal(err)
	}
	if err := nats.Close(); err != nil {
		t.Fatal(err)
	}
	_, stop = startAndStop(t, cfg)
	stop()
	nats = openStore(t, cfg.NATS.Embedded.Dir)
	cursors, err := buffer.OpenCursors(t.Context(), nats.JetStream, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, revision, err := cursors.Load(t.Context(), "acme"); err != nil || revision != 0 {
		t.Errorf("its cursor is at revision %d, %v", revision, err)
	}
	if r := openRegistry(t, nats); r.Leaving("acme") {
		t.Error("it still leaves")
	}
	if err := nats.Close(); err != nil {
		t.Fatal(err)
	}
}

// One stored connection that cannot be run is shown, and takes no other with it.
func TestAConnectionThatCannotBeRun(t *testing.T) {
	ns, broker := startNS(t), testkit.StartBroker(t)
	cfg := node(t, ns)
	a, stop := startAndStop(t, cfg)
	o := operate(t, a)
	for _, id := range []string{"acme", "beta"} {
		o.want(201, "POST", "/connections", written(id, broker.URI("mqtt"), ""))
	}
	o.await("both", "/connections?state=connected", func(s string) bool { return strings.Count(s, `"state":"connected"`) == 2 })
	stop()
	nats := openStore(t, cfg.NATS.Embedded.Dir)
	kv, err := nats.JetStream.KeyValue(t.Context(), "lorry_connections")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "beta", []byte(`{"id": "beta", "from": "a later version"}`)); err != nil {
		t.Fatal(err)
	}
	if err := nats.Close(); err != nil {
		t.Fatal(err)
	}
	o = operate(t, start(t, cfg))
	o.await("the other", "/connections?state=connected", has(`"id":"acme"`))
	if s := o.want(200, "GET", "/connections/beta/status", ""); !strings.Contains(s, `"state":"misconfigured"`) || !strings.Contains(s, "from: is unknown") {
		t.Error(s)
	}
	o.want(200, "PUT", "/connections/beta", written("beta", broker.URI("mqtt"), ""))
	o.await("the mended one", "/connections?state=connected", has(`"id":"beta"`))
}

// Nothing that a run writes or answers shows a secret that it was given.
func TestNoSecretIsShown(t *testing.T) {
	const userPassword, header, apiToken = "hunter2-in-the-uri", "hunter2-in-a-header", "hunter2-of-the-api-0123"
	ns := startNS(t)
	broker := testkit.StartBroker(t, testkit.WithSchemes("ws"))
	cfg := node(t, ns)
	cfg.HTTP.Tokens = []config.Token{{Token: secret.New(apiToken), Scope: config.ScopeAdmin}}
	log := &transcript{}
	a, err := app.New(cfg, zerolog.New(log).Level(zerolog.TraceLevel), "test", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := operate(t, a)
	o.token = apiToken
	uri := strings.Replace(broker.URI("ws"), "://", "://user:"+userPassword+"@", 1)
	o.want(201, "POST", "/connections", written("acme", uri, `, "websocket": {"headers": {"X-Api-Key": "`+header+`"}}`))
	o.await("connected", "/connections/acme/status", has(`"state":"connected"`))
	o.want(200, "PATCH", "/connections/acme", `{"description": "other", "websocket": {"headers": {"X-Api-Key": "***"}}}`)
	o.want(422, "PATCH", "/connections/acme", `{"uri": "http://u:`+userPassword+`@h", "source": {"url": "ws://u:`+userPassword+`@h", "access_token": "`+token+`"}}`)
	o.want(422, "POST", "/connections", strings.Replace(written("beta", uri, ""), `"filter"`, `"password": "`+userPassword+`", "filter"`, 1))
	o.ask("POST", "/api/v1/connections", `{"uri": "`+uri)
	broker.Stop()
	o.await("backoff", "/connections/acme/status", has(`"state":"backoff"`))
	o.want(202, "POST", "/connections/acme/restart", "")
	o.await("backoff again", "/connections/acme/status", has(`"state":"backoff"`))
	o.want(202, "POST", "/connections/acme/pause", "")
	o.await("paused", "/connections/acme/status", has(`"state":"paused"`))
	for _, path := range []string{"/api/v1/connections", "/api/v1/connections/acme", "/api/v1/connections/acme/log", "/api/v1/nodes", "/metrics", "/openapi.json", "/docs"} {
		if status, answer := o.ask("GET", path, ""); status != 200 || answer == "" {
			t.Errorf("%s: %d", path, status)
		}
	}
	o.want(204, "DELETE", "/connections/acme", "")
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{userPassword, header, apiToken, token, "hunter2"} {
		for from, text := range map[string]string{"log": log.String(), "answers": o.heard.String()} {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s show %q: …%s…", from, secret, text[max(0, i-200):min(len(text), i+60)])
			}
		}
	}
	var lines int
	for line := range strings.Lines(log.String()) {
		if lines++; !json.Valid([]byte(line)) {
			t.Errorf("no log line: %s", line)
		}
	}
	if lines < 10 || o.heard.text.Len() < 1000 {
		t.Errorf("%d log lines, %d bytes of answers: this test has seen too little", lines, o.heard.text.Len())
	}
}
