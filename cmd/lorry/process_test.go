package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// process is lorry as a process of its own.
type process struct {
	stdout, stderr *screen
	t              *testing.T
	cmd            *exec.Cmd
	ended          chan struct{}
}

// launch starts a command line. The process ends with the test at the latest.
func launch(t *testing.T, args ...string) *process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{stdout: newScreen(t), stderr: newScreen(t), t: t, cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Env = []string{asProgram + "=1", "GORACE=atexit_sleep_ms=0"} // and no settings of whoever runs the tests
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in cmd.ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	return p
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v: %v\n%s", s, err, p.stderr)
	}
}

// ends waits for the end of the process and returns its state.
func (p *process) ends() *os.ProcessState {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(testkit.Patience):
		p.t.Fatalf("the process does not end:\n%s", p.stderr)
	}
	return p.cmd.ProcessState
}

// drains sends SIGTERM and expects a good end.
func (p *process) drains() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	p.endsWell()
}

func (p *process) endsWell() {
	p.t.Helper()
	if state := p.ends(); state.ExitCode() != 0 || !strings.Contains(p.stderr.String(), `"message":"node is down"`) || p.stdout.String() != "" {
		p.t.Errorf("it ended with %v:\n%s%s", state, p.stdout, p.stderr)
	}
}

// get asks the process over HTTP.
func (p *process) get(path string) (status int, body string) {
	p.t.Helper()
	address, _, _ := strings.Cut(p.stderr.await(`"http":"`), `"`)
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		p.t.Fatalf("GET %s: %v\n%s", path, err, p.stderr)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// route is both ends of a connection, and the configuration of a node between them.
type route struct {
	t      *testing.T
	ns     *simulator.NS
	broker *testkit.Broker
	proxy  *testkit.PubackProxy
	config string
}

func newRoute(t *testing.T, grace time.Duration) *route {
	t.Helper()
	ns, err := simulator.New(simulator.Config{Seed: 1, Tokens: []string{"secret"}, Filters: map[string]simulator.Filter{"f": {}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := ns.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ns.Close)
	r := &route{t: t, ns: ns, broker: testkit.StartBroker(t)}
	r.proxy = testkit.NewPubackProxy(t, r.broker.Address("mqtt"))
	dir := t.TempDir()
	r.config = writeFile(t, filepath.Join(dir, "lorry.yaml"), fmt.Sprintf(`
node: {name: n1, shutdown_grace: %v}
http: {listen: "127.0.0.1:0"}
nats: {embedded: {dir: %s}}
buffer: {max_bytes: 64MiB}
source: {url: %s, access_token: secret}
connections:
  - id: acme
    uri: %s
    filter: f
    topic_up: lora/{type}/{device}
    topic_down: downstream
    mqtt: {ack_timeout: 1m}  # a PUBACK that is held back ends no session
`, grace, filepath.Join(dir, "data"), ns.URL(), r.proxy.URI()))
	return r
}

// launch starts the node and waits until the Network Server streams to it.
func (r *route) launch() *process {
	r.t.Helper()
	p := launch(r.t, "run", "--config", r.config)
	p.stderr.await(`"message":"node is up"`)
	ctx, cancel := context.WithTimeout(r.t.Context(), testkit.Patience)
	defer cancel()
	if err := r.ns.Await(ctx, func(s simulator.Stats) bool { return s.Streams == 1 }); err != nil {
		r.t.Fatalf("%v\n%s", err, p.stderr)
	}
	return p
}

// emit has the Network Server send uplinks and waits until the broker has been sent so many messages in all.
func (r *route) emit(n, published int) {
	r.t.Helper()
	for range n {
		if _, err := r.ns.Emit(simulator.Order{}); err != nil {
			r.t.Fatal(err)
		}
	}
	if all := r.broker.AwaitPublished(published); len(all) != published {
		r.t.Errorf("%d messages published, want %d", len(all), published)
	}
}

// A drain waits for the PUBACKs that are under way and saves the cursor: the next start repeats nothing.
func TestSIGTERMDrains(t *testing.T) {
	r := newRoute(t, time.Minute)
	p := r.launch()
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n", "/metrics": "\nlorry_"} {
		if status, body := p.get(path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	r.proxy.Withhold()
	r.emit(3, 3)
	r.proxy.AwaitHeld(3)
	p.signal(syscall.SIGTERM)
	p.stderr.await(`"message":"draining"`)
	r.proxy.Pass()
	if released := r.proxy.Release(3); released != 3 {
		t.Errorf("%d PUBACKs released", released)
	}
	p.endsWell()

	p = r.launch()
	r.emit(1, 4)
	p.drains()
	if all := r.broker.Published(); len(all) != 4 {
		t.Errorf("%d messages published, want 4: a drain was followed by repeats", len(all))
	}
}

// When the grace is over, what is not acknowledged is left for the next start.
func TestSIGTERMEndsWithoutPUBACKs(t *testing.T) {
	r := newRoute(t, 0)
	p := r.launch()
	r.proxy.Withhold()
	r.emit(3, 3)
	r.proxy.AwaitHeld(3)
	p.drains()

	r.proxy.Pass()
	p = r.launch()
	r.emit(1, 7)
	p.drains()
	all := r.broker.Published()
	for i := range 3 {
		if first, again := all[i], all[i+3]; first.Topic != again.Topic || !bytes.Equal(first.Payload, again.Payload) {
			t.Errorf("message %d was published as\n%s, then as\n%s", i, first.Payload, again.Payload)
		}
	}
}

func TestASecondSIGINTEndsAtOnce(t *testing.T) {
	r := newRoute(t, time.Minute)
	p := r.launch()
	r.proxy.Withhold()
	r.emit(1, 1)
	p.signal(syscall.SIGINT)
	p.stderr.await(`"message":"draining"`)
	p.signal(syscall.SIGINT)
	status, ok := p.ends().Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGINT {
		t.Errorf("it ended with %v:\n%s", p.cmd.ProcessState, p.stderr)
	}
}

func TestOneNodeADirectory(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	config := writeFile(t, filepath.Join(dir, "lorry.yaml"), fmt.Sprintf("http: {listen: \"127.0.0.1:0\"}\nlog: {level: info}\nnats: {embedded: {dir: %s}}\n", data))
	first := launch(t, "run", "--config", config)
	first.stderr.await(`"message":"node is up"`)
	second := lorry(t, "run", "--config", config)
	want := "lorry: nats.embedded.dir: " + data + " is in use by another lorry: stop it or choose another directory\n"
	if second.status != exitFailure || second.stdout != "" || !strings.HasSuffix("\n"+second.stderr, "\n"+want) || strings.Count("\n"+second.stderr, "\nlorry: ") != 1 {
		t.Errorf("%+v\nwant %s", second, want)
	}
	first.drains()
	third := launch(t, "run", "--config", config)
	third.stderr.await(`"message":"node is up"`)
	third.drains()
}
