package config

import (
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/egress"
)

// Defaults returns the configuration of a node that was told nothing: the embedded server in ./lorry-data, the API
// on 127.0.0.1:8080, no connections.
func Defaults() Config {
	return Config{
		Node:    Node{ShutdownGrace: Duration(10 * time.Second)},
		Log:     Log{Level: "info", Format: "json"},
		HTTP:    HTTP{Listen: "127.0.0.1:8080", Tokens: []Token{}},
		Metrics: Metrics{PerConnection: true},
		NATS:    NATS{Embedded: defaultEmbedded()},
		Buffer: Buffer{
			MaxAge:                 Duration(48 * time.Hour),
			MaxBytes:               10 << 30,
			MaxFramesPerConnection: 1_000_000,
			Replicas:               1,
		},
		Egress:      Egress{Deny: []egress.Rule{}, Allow: []egress.Rule{}},
		Connections: []connection.Spec{},
	}
}

func defaultEmbedded() Embedded {
	return Embedded{
		Dir:     "./lorry-data",
		Cluster: EmbeddedCluster{Routes: []connection.URI{}},
		Sync:    Sync{Interval: time.Second},
	}
}
