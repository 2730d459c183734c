package config_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/config"
)

func TestEnvironmentOverTheFile(t *testing.T) {
	c := load(t, "testdata/good/full.yaml",
		"PATH=/bin",
		"LORRY_NODE_NAME=007",
		"LORRY_NODE_SHUTDOWN_GRACE=1m",
		"LORRY_HTTP_TOKENS=aaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbb=",
		"LORRY_NATS_EMBEDDED_SYNC=5s",
		"LORRY_NATS_EMBEDDED_CLUSTER_ROUTES=",
		"LORRY_BUFFER_MAX_BYTES=1GiB",
		"LORRY_EGRESS_DENY=",
		"LORRY_CLUSTER_ENABLED=false",
		"LORRY_SOURCE_ACCESS_TOKEN=a=b=c",
		"LORRY_CONNECTIONS=[{id: only, uri: 'mqtt://h', filter: f, topic_up: t}]",
	)
	if c.Node.Name != "007" || time.Duration(c.Node.ShutdownGrace) != time.Minute || len(c.HTTP.Tokens) != 2 ||
		c.HTTP.Tokens[1].Token.Reveal() != "bbbbbbbbbbbbbbb=" || c.NATS.Embedded.Sync.Interval != 5*time.Second ||
		len(c.NATS.Embedded.Cluster.Routes) != 0 || c.Buffer.MaxBytes != 1<<30 || time.Duration(c.Buffer.MaxAge) != 24*time.Hour ||
		len(c.Egress.Deny) != 0 || len(c.Connections) != 1 || c.Connections[0].ID != "only" ||
		c.Connections[0].Source.AccessToken.Reveal() != "a=b=c" {
		t.Errorf("%+v", c)
	}
	c = load(t, "testdata/good/external.yaml", "LORRY_NATS_URL=nats://a,nats://b", "LORRY_BUFFER_REPLICAS=3")
	if c.NATS.URL.Reveal() != "nats://a,nats://b" || c.Buffer.Replicas != 3 {
		t.Errorf("%+v", c)
	}
}

func TestSectionsAndTheKeysInThem(t *testing.T) {
	c := load(t, "", "LORRY_LOG_FORMAT=console", "LORRY_LOG={level: debug, format: json}", "LORRY_LOG_LEVEL=warn")
	if c.Log != (config.Log{Level: "warn", Format: "console"}) {
		t.Errorf("%+v: the key's variable is not over the section's", c.Log)
	}
}

func TestFaultsNameTheVariable(t *testing.T) {
	for _, c := range []struct{ env, want string }{
		{"LORRY_LOG_LEVEL=loud", "LORRY_LOG_LEVEL: log.level: must be trace, debug, info, warn or error"},
		{"LORRY_LOG_LEVEL=", "LORRY_LOG_LEVEL: log.level: must be trace, debug, info, warn or error"},
		{"LORRY_BUFFER_REPLICAS=many", "LORRY_BUFFER_REPLICAS: buffer.replicas: must be a whole number, is text"},
		{"LORRY_BUFFER_REPLICAS=", "LORRY_BUFFER_REPLICAS: buffer.replicas: must be a whole number, is text"},
		{"LORRY_CLUSTER_ENABLED=1", "LORRY_CLUSTER_ENABLED: cluster.enabled: must be true or false, is a whole number"},
		{"LORRY_NODE_SHUTDOWN_GRACE=", "LORRY_NODE_SHUTDOWN_GRACE: node.shutdown_grace: must be a number with a unit, such as 500ms, 30s, 10m or 48h"},
		{"LORRY_HTTP_TOKENS=aaaaaaaaaaaaaaaa,hunter2", "LORRY_HTTP_TOKENS: http.tokens[1]: is shorter than 16 characters: " +
			"it could be guessed; openssl rand -hex 32 makes one"},
		{"LORRY_HTTP={listen: 127.0.0.1:80, tokn: x}", "LORRY_HTTP:1: http.tokn: is unknown; known here: listen, tokens"},
		{"LORRY_CONNECTIONS=\n- id: a\n  uri: mqtt://h\n  filter: f\n  topic_up: t/#\n  source: {url: ws://h, access_token: t}",
			`LORRY_CONNECTIONS:5: connections[0].topic_up: `},
		{"LORRY_NATS_EMBEDDED_CLUSTER_ROUTES=nats://a:6222,nats://b:6222", "LORRY_NATS_EMBEDDED_CLUSTER_ROUTES: nats.embedded.cluster: " +
			"is not available in this version: the embedded server runs alone; for a cluster set nats.url"},
		{"LORRY_EGRESS_DENY=10.0.0.0/8,10.0.0.1/8", "LORRY_EGRESS_DENY: egress.deny[1]: has bits set beyond its length: write 10.0.0.0/8"},
		{"LORRY_CONNECTIONS=[", "LORRY_CONNECTIONS:1: is not YAML: did not find expected node content"},
		{"LORRY_NATS={url: 'nats://h', credentials: \"a\\0\"}", `LORRY_NATS:1: nats.credentials: file "a\x00" cannot be read: invalid argument`},
		{"LORRY_CONNECTIONS=", "LORRY_CONNECTIONS: connections: must be a list, is text"},
	} {
		_, err := config.Load("testdata/good/minimal.yaml", []string{c.env})
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Count(err.Error(), "\n") != 0 || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s:\ngot  %v\nwant %s", c.env, err, c.want)
		}
	}
}

// Kubernetes sets variables of its own for a service named lorry: they are no reason not to start.
func TestUnknownVariablesAreWarnings(t *testing.T) {
	c := load(t, "", "LORRY_SERVICE_HOST=10.0.0.1", "LORRY_PORT=tcp://10.0.0.1:8080", "LORRY_HTTP_SERVICE_PORT=1", "LORRY_LOG_LEVLE=debug",
		"LORRY_SERVER=http://x", "LORRY_TOKEN=hunter2", "LORRYX=1", "lorry_log_level=debug", "LORRY_")
	var names []string
	for _, w := range c.Warnings {
		name, _, _ := strings.Cut(strings.TrimPrefix(w, "environment variable "), " ")
		names = append(names, name)
		if strings.Contains(w, "hunter2") || strings.Contains(w, "10.0.0.1") {
			t.Errorf("the warning shows the value: %s", w)
		}
	}
	if want := []string{"LORRY_", "LORRY_HTTP_SERVICE_PORT", "LORRY_LOG_LEVLE", "LORRY_PORT", "LORRY_SERVICE_HOST"}; !slices.Equal(names, want) {
		t.Errorf("warnings for %v, want %v", names, want)
	}
}

func TestListenOnLoopbackNeedsNoToken(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "127.8.8.8:80", "[::1]:8080", "[::ffff:127.0.0.1]:65535", "localhost:80"} {
		if c := load(t, "", "LORRY_HTTP_LISTEN="+address); c.HTTP.Listen != address {
			t.Errorf("%s became %s", address, c.HTTP.Listen)
		}
	}
	for _, address := range []string{"[::]:80", "0.0.0.0:80", ":80", "128.0.0.1:80", "localhost.example:80", "[fe80::1%lo]:80"} {
		if _, err := config.Load("", []string{"LORRY_HTTP_LISTEN=" + address}); err == nil || !strings.Contains(err.Error(), "beyond loopback") {
			t.Errorf("%s without tokens: %v", address, err)
		}
		load(t, "", "LORRY_HTTP_LISTEN="+address, "LORRY_HTTP_TOKENS=0123456789abcdef")
	}
}
