package connection

import "github.com/lorry-mqtt/lorry/internal/secret"

// Spec is a connection's configuration. encoding/json and YAML write it with its secrets masked.
//
// Read one with [DecodeJSON] or [DecodeYAML], complete it with [Spec.WithDefaults], then ask [Spec.Validate].
type Spec struct {
	ID          string            `json:"id" yaml:"id"` // also names the buffer's subject, the cursor and the client ID
	Description string            `json:"description" yaml:"description"`
	URI         URI               `json:"uri" yaml:"uri"`
	Filter      string            `json:"filter" yaml:"filter"`         // the Network Server's filter id
	TopicUp     string            `json:"topic_up" yaml:"topic_up"`     // topic template, see package topic
	TopicDown   string            `json:"topic_down" yaml:"topic_down"` // topic filter; empty: no downlinks
	Enabled     bool              `json:"enabled" yaml:"enabled"`
	Tags        map[string]string `json:"tags" yaml:"tags"`
	Source      Source            `json:"source" yaml:"source"`
	MQTT        MQTT              `json:"mqtt" yaml:"mqtt"`
	Downlink    Downlink          `json:"downlink" yaml:"downlink"`
	TLS         TLS               `json:"tls" yaml:"tls"`
	WebSocket   WebSocket         `json:"websocket" yaml:"websocket"`
}

// SourceKind tells how a connection's frames reach lorry.
type SourceKind string

// The kinds of source.
const (
	SourceWebSocket SourceKind = "websocket" // the Network Server's Data API
	SourceNATS      SourceKind = "nats"      // a JetStream subject that others write; refused by [Spec.Validate] as yet
)

// Source is the Network Server's end of a connection.
type Source struct {
	Kind        SourceKind    `json:"kind" yaml:"kind"`
	URL         string        `json:"url" yaml:"url"` // ws:// or wss://, without a query
	AccessToken secret.String `json:"access_token" yaml:"access_token"`
	Radio       bool          `json:"radio" yaml:"radio"`             // ask for the radio object of uplinks and downlinks
	LoRa        bool          `json:"lora" yaml:"lora"`               // ask for the LoRaWAN header and MAC commands
	Duplicate   bool          `json:"duplicate" yaml:"duplicate"`     // ask for every gateway's copy
	Subject     string        `json:"subject" yaml:"subject"`         // of kind nats; default ns.FILTER.>
	HistoryURL  string        `json:"history_url" yaml:"history_url"` // http:// or https://; the REST history
	// ReplayMargin is by how much more the Network Server is asked for than what was missed: meta.time is not
	// monotonic across types.
	ReplayMargin Duration `json:"replay_margin" yaml:"replay_margin"`
}

// MQTT holds the broker session's settings.
type MQTT struct {
	ClientID       string   `json:"client_id" yaml:"client_id"` // default lorry-ID
	KeepAlive      Duration `json:"keep_alive" yaml:"keep_alive"`
	AckTimeout     Duration `json:"ack_timeout" yaml:"ack_timeout"`
	MaxInflight    int      `json:"max_inflight" yaml:"max_inflight"` // unacknowledged publishes
	Retain         bool     `json:"retain" yaml:"retain"`
	MaxRate        int      `json:"max_rate" yaml:"max_rate"` // publishes per second; 0: no limit
	ConnectTimeout Duration `json:"connect_timeout" yaml:"connect_timeout"`
}

// Downlink holds the settings of the way to the Network Server.
type Downlink struct {
	MaxWait Duration `json:"max_wait" yaml:"max_wait"` // how long a downlink waits while the Network Server is away
	// ExpiredRequests is what becomes of a downlink_request whose tx_time has passed before its turn.
	ExpiredRequests ExpiredRequests `json:"expired_requests" yaml:"expired_requests"`
}

// ExpiredRequests tells what becomes of downlink_requests that nobody can answer any more.
type ExpiredRequests string

// What can become of them.
const (
	ExpiredLast    ExpiredRequests = "last"    // they are delivered when nothing else waits
	ExpiredDiscard ExpiredRequests = "discard" // they are not delivered
)

// TLS holds what a broker's TLS session needs beyond the system's own CAs and the URI's host name. The certificate
// is always verified.
type TLS struct {
	CA          string        `json:"ca" yaml:"ca"`                   // PEM, instead of the system's CAs
	Certificate string        `json:"certificate" yaml:"certificate"` // PEM, the client's, with its chain
	Key         secret.String `json:"key" yaml:"key"`                 // PEM, not encrypted
	ServerName  string        `json:"server_name" yaml:"server_name"` // instead of the URI's host
	ALPN        []string      `json:"alpn" yaml:"alpn"`               // protocols to offer, RFC 7301
}

// WebSocket holds what the opening handshake of a ws:// or wss:// broker carries (RFC 6455 §4.1).
type WebSocket struct {
	Headers map[string]secret.String `json:"headers" yaml:"headers"`
}
