package config

import (
	"slices"
	"testing"
)

func TestEveryKeyHasAVariableOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range variables() {
		if seen[v.name] || slices.Contains(ofCommandLine, v.name) {
			t.Errorf("%s means two things", v.name)
		}
		seen[v.name] = true
	}
	for _, name := range []string{
		"LORRY_NODE_NAME", "LORRY_NODE_SHUTDOWN_GRACE", "LORRY_LOG_LEVEL", "LORRY_LOG_FORMAT", "LORRY_HTTP_LISTEN", "LORRY_HTTP_TOKENS",
		"LORRY_NATS_URL", "LORRY_NATS_CREDENTIALS", "LORRY_NATS_TLS_CA", "LORRY_NATS_TLS_CERTIFICATE", "LORRY_NATS_TLS_KEY",
		"LORRY_NATS_EMBEDDED_DIR", "LORRY_NATS_EMBEDDED_LISTEN", "LORRY_NATS_EMBEDDED_CLUSTER_NAME", "LORRY_NATS_EMBEDDED_CLUSTER_LISTEN",
		"LORRY_NATS_EMBEDDED_CLUSTER_ROUTES", "LORRY_NATS_EMBEDDED_SYNC", "LORRY_NATS_EMBEDDED_ENCRYPTION_KEY", "LORRY_BUFFER_MAX_AGE",
		"LORRY_BUFFER_MAX_BYTES", "LORRY_BUFFER_MAX_FRAMES_PER_CONNECTION", "LORRY_BUFFER_REPLICAS", "LORRY_SOURCE_URL",
		"LORRY_SOURCE_ACCESS_TOKEN", "LORRY_SOURCE_HISTORY_URL", "LORRY_EGRESS_DENY", "LORRY_EGRESS_ALLOW", "LORRY_CLUSTER_ENABLED",
		"LORRY_CONNECTIONS",
	} {
		if !seen[name] {
			t.Errorf("%s is no variable", name)
		}
	}
}
