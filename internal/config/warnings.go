package config

import (
	"fmt"

	"github.com/lorry-mqtt/lorry/internal/config/document"
)

// warnings returns what of a valid configuration its owner may not have meant, a line each.
func (c Config) warnings() []string {
	return append(c.exposed(), c.unusedHistory()...)
}

// exposed warns of a NATS listener that others than this machine reach: the embedded server asks nobody who they are.
func (c Config) exposed() []string {
	listen := c.NATS.Embedded.Listen
	if host, _ := splitListen(listen); listen == "" || loopback(host) {
		return nil
	}
	return []string{"nats.embedded.listen reaches beyond loopback: whoever can connect reads and writes every frame; " +
		"keep it in a closed network"}
}

// unusedHistory warns of each URL of the REST history, which nothing reads yet. A connection that has it from the
// node's own source is not named again.
func (c Config) unusedHistory() []string {
	const reason = "is not used in this version: missed frames come from the Data API itself, which keeps uplink and downlink for 48 h"
	var warnings []string
	if c.Source.HistoryURL != "" {
		warnings = append(warnings, "source.history_url "+reason)
	}
	for i, s := range c.Connections {
		if own := s.Source.HistoryURL; own != "" && own != c.Source.HistoryURL {
			warnings = append(warnings, fmt.Sprintf("%s.source.history_url %s", document.Index("connections", i), reason))
		}
	}
	return warnings
}
