package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lorry-mqtt/lorry/internal/config"
)

// Each file in testdata/faults begins with the faults that it must give, a comment line each: "# want: 3: path: reason",
// the 3 being the line. Loading must give those, in that order, and no other.
func TestFaultFiles(t *testing.T) {
	names, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil || len(names) < 60 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for line := range strings.Lines(string(text)) {
			if w, ok := strings.CutPrefix(line, "# want: "); ok {
				want = append(want, strings.TrimSuffix(w, "\n"))
			}
		}
		_, err = config.Load(name, nil)
		if err == nil {
			t.Errorf("%s is accepted", name)
			continue
		}
		var got []string
		for line := range strings.SplitSeq(err.Error(), "\n") {
			got = append(got, strings.TrimPrefix(strings.TrimPrefix(line, name+":"), " "))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: a fault shows a secret: %v", name, err)
		}
	}
}

func load(t *testing.T, name string, env ...string) config.Config {
	t.Helper()
	c, err := config.Load(name, env)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestGoodFiles(t *testing.T) {
	c := load(t, "testdata/good/minimal.yaml")
	if len(c.Connections) != 1 || len(c.Warnings) != 0 {
		t.Fatalf("%+v", c)
	}
	if s := c.Connections[0]; s.MQTT.ClientID != "lorry-acme" || s.Source.URL != "wss://ns.example/api/v1.0/data" ||
		s.Source.AccessToken.Reveal() != "ns-token" || !s.Enabled || s.MQTT.MaxInflight != 100 {
		t.Errorf("the connection is not complete: %+v", s)
	}

	c = load(t, "testdata/good/full.yaml")
	second, third := c.Connections[1], c.Connections[2]
	if second.ID != "acme-test" || second.Enabled || second.TopicDown != "downstream" || second.MQTT.MaxInflight != 50 ||
		second.Source.HistoryURL != "" || second.Tags["tier"] != "1" || second.WebSocket.Headers["X-Api-Key"].Reveal() != "header-password" {
		t.Errorf("merged: %+v", second)
	}
	if third.Filter != "590e8" || third.Source.URL != "wss://ns.example/api/v1.0/data" || third.Source.AccessToken.Reveal() != "old-token" {
		t.Errorf("with a history of its own: %+v", third)
	}
	if c.NATS.Embedded.Sync != (config.Sync{Always: true}) || c.Buffer.MaxBytes != 512<<20 || c.Buffer.MaxFramesPerConnection != 100_000 ||
		time.Duration(c.Buffer.MaxAge) != 24*time.Hour || c.HTTP.Tokens[1].Token.Reveal() != "fedcba9876543210fedcba9876543210" {
		t.Errorf("%+v", c)
	}
	if want := "nats.embedded.listen reaches beyond loopback: "; len(c.Warnings) != 1 || !strings.HasPrefix(c.Warnings[0], want) {
		t.Fatalf("warnings: %q, want one that begins with %q", c.Warnings, want)
	}

	c = load(t, "testdata/good/external.yaml")
	if c.NATS.URL.Reveal() != "tls://nats1.example:4222,nats://user:nats-password@nats2.example" {
		t.Errorf("nats.url = %q", c.NATS.URL.Reveal())
	}
}

func TestNothingSaidIsTheDefault(t *testing.T) {
	for _, name := range []string{"", "testdata/good/empty.yaml"} {
		if c := load(t, name); !reflect.DeepEqual(c, config.Defaults()) {
			t.Errorf("%q: %+v", name, c)
		}
	}
}

// The contract's page, word for word where it has values.
func TestDefaultsAreTheContracts(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lorry.yaml")
	const text = `
node: {name: "", shutdown_grace: 10s}
log: {level: info, format: json}            # or console
http: {listen: 127.0.0.1:8080, tokens: []}  # bearer tokens; empty is allowed on loopback only
nats:
  url: ""                                   # empty: embedded server; else nats://, tls://, several with commas
  credentials: ""                           # creds file; TLS files as usual
  embedded: {dir: ./lorry-data, listen: "", cluster: {name: "", listen: "", routes: []}, sync: 1s, encryption_key: ""}
buffer: {max_age: 48h, max_bytes: 10GiB, max_frames_per_connection: 1000000, replicas: 1}
source: {url: "", access_token: "", history_url: ""}   # default NS for connections that name none
egress: {deny: [], allow: []}               # CIDRs and host names that broker and source URIs may (not) reach
cluster: {enabled: false}
connections: []                             # static connections, same shape as the API's
`
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if c := load(t, name); !reflect.DeepEqual(c, config.Defaults()) {
		t.Errorf("%+v\nwant %+v", c, config.Defaults())
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for name, want := range map[string]string{
		"testdata/none.yaml": `configuration file "testdata/none.yaml" does not exist: name one that does with --config`,
		"testdata":           "read configuration file: read testdata: is a directory",
		"testdata/\x00":      "open configuration file: open testdata/\x00: invalid argument",
	} {
		if _, err := config.Load(name, nil); err == nil || err.Error() != want {
			t.Errorf("%q: %v\nwant %s", name, err, want)
		}
	}
}

func TestFaultsHavePlaceAndPath(t *testing.T) {
	_, err := config.Load("testdata/faults/buffer-replicas-alone.yaml", nil)
	e, ok := errors.AsType[*config.Error](err)
	if !ok || len(e.Faults) != 1 || e.Faults[0].Path != "buffer.replicas" || e.Faults[0].Place.Line != 3 {
		t.Errorf("%#v", err)
	}
}

func TestNothingShowsSecrets(t *testing.T) {
	for _, name := range []string{"full", "external", "minimal"} {
		c := load(t, "testdata/good/"+name+".yaml")
		text, err := yaml.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		shown := string(text)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			shown += fmt.Sprintf(verb, c)
		}
		for _, secret := range []string{"password", "ns-token", "test-token", "p%40ss", "0123456789abcdef", "fedcba9876543210",
			fmt.Sprintf("%x", "password")} {
			if strings.Contains(shown, secret) {
				t.Errorf("%s shows %s: %s", name, secret, shown)
			}
		}
	}
}
