package config

import (
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/egress"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

// Duration is a time span written "30s" or "48h".
type Duration = connection.Duration

// Source is the Network Server for connections that name none.
type Source = connection.SourceDefaults

// Config is a node's whole configuration. YAML encodes it with its secrets masked.
type Config struct {
	Node        Node              `yaml:"node"`
	Log         Log               `yaml:"log"`
	HTTP        HTTP              `yaml:"http"`
	Metrics     Metrics           `yaml:"metrics"`
	NATS        NATS              `yaml:"nats"`
	Buffer      Buffer            `yaml:"buffer"`
	Source      Source            `yaml:"source"`
	Egress      Egress            `yaml:"egress"`
	Cluster     Cluster           `yaml:"cluster"`
	Connections []connection.Spec `yaml:"connections"` // static, complete: [connection.Spec.WithDefaults] was applied

	// Warnings are what Load found odd but not wrong, a line each: environment variables that look like ours and
	// are not, servers that anyone may reach.
	Warnings []string `yaml:"-"`
}

// Node is this process.
type Node struct {
	Name          string   `yaml:"name"`           // empty: the host's name
	ShutdownGrace Duration `yaml:"shutdown_grace"` // how long a drain waits for PUBACKs
}

// Log is what is logged, and how.
type Log struct {
	Level  string `yaml:"level"`  // trace, debug, info, warn or error
	Format string `yaml:"format"` // json or console
}

// HTTP is the server of API, health and metrics.
type HTTP struct {
	Listen string  `yaml:"listen"` // host:port; port 0 takes a free one
	Tokens []Token `yaml:"tokens"` // bearer tokens (RFC 6750 §2.1); none is allowed on loopback only
	TLS    HTTPTLS `yaml:"tls"`
}

// HTTPTLS holds paths of PEM files; none: plain HTTP.
type HTTPTLS struct {
	Certificate string `yaml:"certificate"` // with its chain
	Key         string `yaml:"key"`
}

// Metrics is what the exposition holds.
type Metrics struct {
	PerConnection bool `yaml:"per_connection"` // a series for each connection; else only the node's own
}

// NATS is the JetStream server that holds the buffer.
type NATS struct {
	URL         Servers  `yaml:"url"`         // empty: the embedded server
	Credentials string   `yaml:"credentials"` // path of a creds file, for URL
	TLS         NATSTLS  `yaml:"tls"`
	Embedded    Embedded `yaml:"embedded"`
}

// NATSTLS holds paths of PEM files, for a server at URL.
type NATSTLS struct {
	CA          string `yaml:"ca"` // instead of the system's CAs
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// Embedded is the NATS server inside this process.
type Embedded struct {
	Dir           string          `yaml:"dir"`    // where its files are
	Listen        string          `yaml:"listen"` // host:port for other clients; empty: none but this process
	Cluster       EmbeddedCluster `yaml:"cluster"`
	Sync          Sync            `yaml:"sync"`           // how often the files are synced to disk
	EncryptionKey secret.String   `yaml:"encryption_key"` // of the files; empty: not encrypted
}

// EmbeddedCluster routes the embedded servers of several nodes together. As yet Validate refuses it.
type EmbeddedCluster struct {
	Name   string           `yaml:"name"`
	Listen string           `yaml:"listen"` // host:port for the other nodes' routes
	Routes []connection.URI `yaml:"routes"` // of the other nodes, nats://host:port
}

// Buffer bounds what is stored for connections that are behind.
type Buffer struct {
	MaxAge                 Duration `yaml:"max_age"`
	MaxBytes               ByteSize `yaml:"max_bytes"`
	MaxFramesPerConnection int64    `yaml:"max_frames_per_connection"`
	Replicas               int      `yaml:"replicas"`
}

// Egress says where broker and source URIs may lead, see package egress.
type Egress struct {
	Deny  []egress.Rule `yaml:"deny"`
	Allow []egress.Rule `yaml:"allow"`
}

// Cluster lets several nodes share the connections. As yet Validate refuses it.
type Cluster struct {
	Enabled bool `yaml:"enabled"`
}
