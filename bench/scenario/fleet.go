package scenario

import (
	"fmt"
	"strings"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/process"
)

// spareFiles is how many files lorry may have open beside two for each connection: the store's, and sockets that are closing
// while others take their place.
const spareFiles = 1000

// mostConnections is how many connections a lorry can have here, at most so many as are asked for.
func mostConnections(wanted int) (int, error) {
	limit, err := process.OpenFiles()
	if err != nil {
		return 0, err
	}
	return min(wanted, max(1, (limit-spareFiles)/2/100*100)), nil
}

// fleetConfig is the configuration of a lorry with a fleet of connections, each with a filter of its own and downlinks.
func (s *stage) fleetConfig(http, ns, store string) string {
	var text strings.Builder
	fmt.Fprintf(&text, `node: {name: bench}
http: {listen: %q}
nats: {embedded: {%s}}
metrics: {per_connection: false}
log: {level: warn}
connections:
`, http, store)
	for i := range s.fleet {
		fmt.Fprintf(&text, `- id: bench-%d
  uri: mqtt://%s
  filter: bench-%[1]d
  topic_up: %[3]q
  topic_down: "down/%[1]d/#"
  mqtt: {max_inflight: %[4]d}
  source: {url: "ws://%[5]s/api/v1.0/data", access_token: bench}
`, i, s.broker.address, part.TopicUp, s.Window, ns)
	}
	return text.String()
}
