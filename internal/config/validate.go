package config

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lorry-mqtt/lorry/internal/config/document"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/fault"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

const (
	maxShutdownGrace = 10 * time.Minute
)

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// Validate returns every fault of the configuration at once, each with its path. It reads no file.
func (c Config) Validate() fault.List {
	var faults fault.List
	for _, section := range []struct {
		path   string
		faults fault.List
	}{
		{"node", c.Node.validate()},
		{"log", c.Log.validate()},
		{"http", c.HTTP.validate()},
		{"nats", c.NATS.validate()},
		{"buffer", c.Buffer.validate(c.NATS)},
		{"source", c.Source.Validate()},
		{"cluster", c.Cluster.validate()},
	} {
		faults = append(faults, section.faults.Prefixed(section.path)...)
	}
	return append(faults, c.validateConnections()...)
}

func (c Config) validateConnections() fault.List {
	var faults fault.List
	first := map[string]int{}
	for i, s := range c.Connections {
		path := document.Index("connections", i)
		faults = append(faults, s.Validate().Prefixed(path)...)
		faults = append(faults, c.Egress.Check(s).Prefixed(path)...)
		if j, found := first[s.ID]; found && s.ID != "" {
			faults.Add(document.Child(path, "id"), "is also the id of connections[%d]", j)
			continue
		}
		first[s.ID] = i
	}
	return faults
}

func (n Node) validate() fault.List {
	var faults fault.List
	if n.Name != "" && !namePattern.MatchString(n.Name) {
		faults.Add("name", "must be 1 to 63 of letters, digits, ., _ and -, the first a letter or digit")
	}
	between(&faults, "shutdown_grace", time.Duration(n.ShutdownGrace), 0, maxShutdownGrace)
	return faults
}

func (l Log) validate() fault.List {
	var faults fault.List
	if _, err := telemetry.ParseLevel(l.Level); err != nil {
		faults.Add("level", "%s", err)
	}
	if _, err := telemetry.ParseFormat(l.Format); err != nil {
		faults.Add("format", "%s", err)
	}
	return faults
}

func (h HTTP) validate() fault.List {
	var faults fault.List
	host, reason := splitListen(h.Listen)
	switch {
	case reason != "":
		faults.Add("listen", "%s", reason)
	case !loopback(host) && len(h.Tokens) == 0:
		faults.Add("listen", "reaches beyond loopback while http.tokens is empty: anyone could change connections; "+
			"give tokens, or listen on 127.0.0.1")
	}
	for i, token := range h.Tokens {
		path := document.Index("tokens", i)
		faults = append(faults, token.validate().Prefixed(path)...)
		if slices.ContainsFunc(h.Tokens[:i], token.same) {
			faults.Add(path, "is given twice")
		}
	}
	if t := h.TLS; (t.Certificate == "") != (t.Key == "") {
		faults.Add("tls", "needs both certificate and key, or neither")
	}
	return faults
}

func (c Cluster) validate() fault.List {
	var faults fault.List
	if c.Enabled {
		faults.Add("enabled", "is not available in this version: a node runs all of its connections itself")
	}
	return faults
}

func between(faults *fault.List, path string, d, low, high time.Duration) {
	if d < low || d > high {
		faults.Add(path, "must be from %s to %s", Duration(low), Duration(high))
	}
}

// splitListen returns the host of an address to listen on, or the reason why it is none.
func splitListen(address string) (host, reason string) {
	const want = "must be host:port, such as 127.0.0.1:8080 or [::1]:8080"
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", want
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", want + "; the port is a number up to 65535"
	}
	if host != "" && !connection.ValidHost(strings.TrimSuffix(host, ".")) {
		return "", want
	}
	return host, ""
}

// loopback reports whether only this machine reaches the host. An empty one is every interface.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
