package scenario

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/process"
)

// The counters of lorry that tell how far it is, and whether anything else happened than what was meant to.
const (
	lorryConnected    = `lorry_node_connections{state="connected"}`
	lorryReceived     = "lorry_node_received_total"
	lorryAcknowledged = "lorry_node_acknowledged_total"
	lorryRedelivered  = "lorry_node_redelivered_total"
	lorryReconnects   = "lorry_node_broker_reconnects_total"
	lorrySource       = "lorry_node_source_reconnects_total"
	lorryDuplicates   = "lorry_node_duplicates_total"
	lorryEvicted      = "lorry_node_frames_evicted_total"
	lorryDropped      = "lorry_node_downlinks_discarded_total"
	lorryOvertaken    = "lorry_node_overtaken_total"
	lorryExpired      = "lorry_node_requests_expired_total"
)

// startLorry starts lorry with one connection from the Network Server at an address to the stage's broker, or with a
// fleet of them, with the stage's settings, and with all others as they come. It returns where its metrics are. The
// profiles, if any, are named after the round.
func (s *stage) startLorry(ctx context.Context, ns, round string) (*process.Process, string, error) {
	address, err := process.FreeAddress()
	if err != nil {
		return nil, "", err
	}
	config := s.path("lorry.yaml")
	if err := os.WriteFile(config, []byte(s.lorryConfig(address, ns)), 0o600); err != nil {
		return nil, "", fmt.Errorf("configure lorry: %w", err)
	}
	args := []string{s.Lorry, "run", "--config", config}
	if s.Profiles != "" {
		args = []string{s.Bench, "part", "node", "--config", config, "--profiles", filepath.Join(s.Profiles, round)}
	}
	p, err := s.start(ctx, "lorry", address, args...)
	return p, address, err
}

// lorryConnection is the connection's ID.
const lorryConnection = "bench"

func (s *stage) lorryConfig(http, ns string) string {
	store, down := fmt.Sprintf("dir: %q", s.path("buffer")), ""
	if s.sync != "" {
		store += ", sync: " + s.sync
	}
	if s.fleet > 0 {
		return s.fleetConfig(http, ns, store)
	}
	if s.topicDown != "" {
		down = "\n  topic_down: " + s.topicDown
	}
	return fmt.Sprintf(`node: {name: bench}
http: {listen: %q}
nats: {embedded: {%s}}
buffer: {max_frames_per_connection: %d}
connections:
- id: %s
  uri: mqtt://%s
  filter: bench
  topic_up: %q%s
  mqtt: {max_inflight: %d}
  source: {url: "ws://%s/api/v1.0/data", access_token: bench}
`, http, store, max(1_000_000, 2*s.flood.Frames), lorryConnection, s.broker.address, part.TopicUp, down, s.Window, ns)
}
