package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/testkit"
)

const cliToken = "cli-token-0123456789abcdef"

// operator is a node as a process of its own, and whoever manages it by the command line.
type operator struct {
	*route
	node   *process
	server string
	file   string // a connection
}

func newOperator(t *testing.T) *operator {
	t.Helper()
	o := &operator{route: newRoute(t, time.Minute)}
	dir := t.TempDir()
	o.config = writeFile(t, filepath.Join(dir, "lorry.yaml"), fmt.Sprintf(`
node: {name: n1}
http: {listen: "127.0.0.1:0", tokens: [%s]}
nats: {embedded: {dir: %s}}
buffer: {max_bytes: 64MiB}
source: {url: %s, access_token: secret}
`, cliToken, filepath.Join(dir, "data"), o.ns.URL()))
	o.file = writeFile(t, filepath.Join(dir, "acme.yaml"), fmt.Sprintf(`
id: acme
uri: %s
filter: f
topic_up: lora/{type}/{device}
topic_down: downstream
tags: {customer: acme}
mqtt: {ack_timeout: 1m}
`, strings.Replace(o.proxy.URI(), "://", "://user:hunter2@", 1)))
	o.start()
	return o
}

func (o *operator) start() {
	o.t.Helper()
	o.node = launch(o.t, "run", "--config", o.config)
	o.node.stderr.await(`"message":"node is up"`)
	address, _, _ := strings.Cut(o.node.stderr.await(`"http":"`), `"`)
	o.server = "http://" + address
}

// lorry runs a command line as the operator does.
func (o *operator) lorry(args ...string) outcome {
	o.t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(o.t.Context(), args, []string{"LORRY_SERVER=" + o.server, "LORRY_TOKEN=" + cliToken}, &stdout, &stderr)
	if strings.Contains(stdout.String()+stderr.String(), "hunter2") {
		o.t.Errorf("lorry %v shows the password: %s%s", args, &stdout, &stderr)
	}
	return outcome{status, stdout.String(), stderr.String()}
}

func (o *operator) wants(want string, args ...string) {
	o.t.Helper()
	if got := o.lorry(args...); got.status != 0 || got.stderr != "" || !strings.Contains(got.stdout, want) {
		o.t.Fatalf("lorry %v: %+v\nwant %q", args, got, want)
	}
}

// await asks until the answer has the text.
func (o *operator) await(want string, args ...string) {
	o.t.Helper()
	timeout := time.After(testkit.Patience)
	for {
		got := o.lorry(args...)
		if got.status == 0 && strings.Contains(got.stdout, want) {
			return
		}
		select {
		case <-timeout:
			o.t.Fatalf("waited in vain for %q of lorry %v: %+v", want, args, got)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// What docs/operations.md walks through: a connection is created, watched, its broker breaks and comes back, it is
// paused, changed and deleted, over a kill of the node.
func TestAnOperatorsDay(t *testing.T) {
	o := newOperator(t)
	o.wants("acme created\n", "connections", "create", "-f", o.file)
	o.await("connected", "connections", "list", "--state", "connected")
	o.emit(3, 3)

	o.broker.Stop()
	o.await("backoff", "connections", "list", "--state", "backoff", "--tag", "customer=acme")
	o.await("no session with the broker", "connections", "log", "acme")
	o.await("acme", "top", "--once")
	o.broker.Start()
	o.await(`"state": "connected"`, "connections", "status", "acme", "--output", "json")

	o.wants("3 frames would be delivered again\n", "connections", "replay", "acme", "--from", "1h", "--dry-run")
	if got := o.lorry("connections", "replay", "acme", "--from", "1h"); got.status != 0 || got.stdout != "3 frames are delivered again\n" || !strings.HasSuffix(got.stderr, "delivered\n") {
		t.Errorf("replay: %+v", got)
	}
	o.broker.AwaitPublished(6)
	o.wants("a replay is over", "connections", "log", "acme")

	o.wants("pause requested", "connections", "pause", "acme")
	o.await("paused", "connections", "status", "acme")
	o.node.signal(os.Kill)
	o.node.ends()
	o.start()
	o.await("paused", "connections", "list", "--state", "paused")
	o.wants("resume requested", "connections", "resume", "acme")
	o.await("connected", "connections", "list", "--state", "connected")

	got := o.lorry("connections", "get", "acme")
	changed := writeFile(t, filepath.Join(t.TempDir(), "changed.json"), strings.Replace(got.stdout, `"description": ""`, `"description": "changed"`, 1))
	o.wants("acme updated\n", "connections", "update", "acme", "-f", changed)
	o.await(`"description": "changed"`, "connections", "get", "acme")
	o.await("connected", "connections", "list", "--state", "connected") // by the password that *** stands for

	followed := inBackgroundWith(t, []string{"LORRY_SERVER=" + o.server, "LORRY_TOKEN=" + cliToken}, "connections", "log", "acme", "--follow")
	o.wants("restart requested", "connections", "restart", "acme")
	followed.stdout.await("restarted by request")
	o.wants("acme deleted\n", "connections", "delete", "acme")
	if status := <-followed.status; status != 0 { // the log ends with the connection
		t.Errorf("following ended with %d: %s", status, followed.stderr)
	}
	var list struct{ Connections []any }
	if err := json.Unmarshal([]byte(o.lorry("connections", "list", "-o", "json").stdout), &list); err != nil || len(list.Connections) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	o.node.drains()
	if strings.Contains(o.node.stderr.String(), "hunter2") || strings.Contains(o.node.stderr.String(), cliToken) {
		t.Errorf("the log shows a secret:\n%s", o.node.stderr)
	}
}

// SIGQUIT has the Go runtime end the process with the stacks of all goroutines.
func TestACrashShowsNoSecret(t *testing.T) {
	o := newOperator(t)
	o.wants("acme created\n", "connections", "create", "-f", o.file)
	o.await("connected", "connections", "list", "--state", "connected")
	o.node.signal(syscall.SIGQUIT)
	o.node.ends()
	crash := o.node.stderr.String()
	if !strings.Contains(crash, "SIGQUIT: quit") || !strings.Contains(crash, "goroutine 1 ") {
		t.Fatalf("no crash:\n%s", crash)
	}
	for _, secret := range []string{"hunter2", cliToken} {
		if strings.Contains(crash, secret) {
			t.Errorf("it shows %q:\n%s", secret, crash)
		}
	}
}

// A thousand connections, created one by one over HTTP, are all connected, and again after the node was killed.
func TestAThousandConnections(t *testing.T) {
	const n = 1000
	o := newOperator(t)
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	ask := func(method, path, body string) (int, string) {
		q, err := http.NewRequestWithContext(t.Context(), method, o.server+"/api/v1"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+cliToken)
		q.Header.Set("Content-Type", "application/json")
		response, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	connected := func() bool {
		status, all := ask("GET", "/connections?state=connected&limit=1000", "")
		return status == 200 && strings.Count(all, `"state":"connected"`) == n
	}
	await := func() {
		t.Helper()
		for deadline := time.Now().Add(10 * testkit.Patience); !connected(); {
			if time.Now().After(deadline) {
				t.Fatal("they are never all connected")
			}
			select {
			case <-time.After(50 * time.Millisecond):
			case <-o.node.ended:
				t.Fatalf("the node has ended:\n%s", o.node.stderr)
			}
		}
	}
	began := time.Now()
	for i := range n {
		body := fmt.Sprintf(`{"id": "c%04d", "uri": %q, "filter": "f", "topic_up": "lora/%d/{type}", "topic_down": "down/%d"}`, i, o.broker.URI("mqtt"), i, i)
		if status, answer := ask("POST", "/connections", body); status != 201 {
			t.Fatalf("%d %s", status, answer)
		}
	}
	t.Logf("created after %v", time.Since(began).Round(time.Millisecond))
	await()
	t.Logf("all connected after %v", time.Since(began).Round(time.Millisecond))
	took := make([]time.Duration, 21)
	for i := range took {
		asked := time.Now()
		if !connected() {
			t.Error("one is connected no more")
		}
		took[i] = time.Since(asked)
	}
	slices.Sort(took)
	t.Logf("the list of all took %v at the median", took[len(took)/2].Round(time.Millisecond))
	o.node.signal(os.Kill)
	o.node.ends()
	began = time.Now()
	o.start()
	t.Logf("up again after %v", time.Since(began).Round(time.Millisecond))
	await()
	t.Logf("all connected again after %v", time.Since(began).Round(time.Millisecond))
}

func TestWhatIsRefusedIsSaid(t *testing.T) {
	o := newOperator(t)
	faulty := writeFile(t, filepath.Join(t.TempDir(), "faulty.yaml"), "{uri: \"http://h\", filter: f, topic_up: \"a/#\"}")
	unknown := writeFile(t, filepath.Join(t.TempDir(), "unknown.yaml"), "{uri: \"mqtt://h\", colour: red}")
	for line, want := range map[string]string{
		"connections get none":                   `lorry: connection "none": there is no such connection`,
		"connections create -f " + unknown:       "lorry: " + unknown + ": colour: is unknown",
		"connections create -f " + faulty:        "lorry: topic_up: ",
		"connections create -f none.yaml":        "lorry: --file: open none.yaml: no such file",
		"connections list --token wrong":         "lorry: the server asks for a token that it knows: give it with --token or LORRY_TOKEN",
		"connections list --state happy":         "lorry: query.state[0]: ",
		"connections list --server http://[::1]": "lorry: ask the node at [::1]: ",
		"connections replay none --from 1m":      `lorry: connection "none": there is no such connection`,
	} {
		if got := o.lorry(strings.Fields(line)...); got.status != exitFailure || got.stdout != "" || !strings.Contains("\n"+got.stderr, "\n"+want) {
			t.Errorf("lorry %s: %+v\nwant %s", line, got, want)
		}
	}
	o.wants("puback", "connections", "test", "-f", o.file)
	o.wants("puback", "connections", "create", "--dry-run", "-f", o.file)
	astray := writeFile(t, filepath.Join(t.TempDir(), "astray.yaml"), "{uri: \"mqtt://127.0.0.1:1\", filter: f, topic_up: t}")
	if got := o.lorry("connections", "test", "-f", astray); got.status != exitFailure || !strings.Contains(got.stdout, "nothing listens there") ||
		got.stderr != "lorry: the test has failed, see the stage that is not ok\n" {
		t.Errorf("%+v", got)
	}
	if got := o.lorry("__complete", "connections", "get", ""); got.status != 0 || got.stdout != ":4\n" {
		t.Errorf("completion: %+v", got)
	}
	o.wants("acme created", "connections", "create", "-f", o.file)
	o.wants("puback", "connections", "test", "acme")
	if got := o.lorry("__complete", "connections", "get", ""); got.status != 0 || got.stdout != "acme\n:4\n" {
		t.Errorf("completion: %+v", got)
	}
	o.node.drains()
}
