package config

import (
	"net/url"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/egress"
	"github.com/lorry-mqtt/lorry/internal/fault"
)

// Policy is what dials have to go by.
func (e Egress) Policy() *egress.Policy { return &egress.Policy{Deny: e.Deny, Allow: e.Allow} }

// Check returns the faults of a connection whose ends no connection can be let through to, whatever their names resolve
// to. Addresses that are not valid in the first place are another's to report.
func (e Egress) Check(s connection.Spec) fault.List {
	var faults fault.List
	policy := e.Policy()
	if uri, err := broker.ParseURI(s.URI.Reveal()); err == nil {
		if err := policy.CheckHost(uri.Host); err != nil {
			faults.Add("uri", "leads where it must not: %s", err)
		}
	}
	for _, end := range []struct{ path, url string }{
		{"source.url", s.Source.URL}, {"source.history_url", s.Source.HistoryURL},
	} {
		u, err := url.Parse(end.url)
		if err != nil || u.Hostname() == "" {
			continue
		}
		if err := policy.CheckHost(u.Hostname()); err != nil {
			faults.Add(end.path, "leads where it must not: %s", err)
		}
	}
	return faults
}
