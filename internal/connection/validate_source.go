package connection

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lorry-mqtt/lorry/internal/fault"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

const (
	maxAccessToken = 4096 // bytes: with the rest of the URL it must pass an HTTP request line

	minReplayMargin = time.Second
	maxReplayMargin = time.Hour
)

// Validate returns the faults of the node's default source: an URL that is none, a token without an URL.
func (d SourceDefaults) Validate() fault.List {
	var faults fault.List
	if d.URL != "" {
		validateURL(&faults, "url", d.URL, "ws", "wss")
	}
	if d.HistoryURL != "" {
		validateURL(&faults, "history_url", d.HistoryURL, "http", "https")
	}
	if !d.AccessToken.IsZero() {
		validateToken(&faults, d.AccessToken)
	}
	return faults
}

func (s Source) validate() fault.List {
	var faults fault.List
	switch s.Kind {
	case SourceWebSocket:
		s.validateWebSocket(&faults)
	case SourceNATS:
		faults.Add("kind", "%s is not available in this version: frames come from the Network Server by %s", SourceNATS, SourceWebSocket)
	default:
		faults.Add("kind", "must be %s", SourceWebSocket)
	}
	return faults
}

func (s Source) validateWebSocket(faults *fault.List) {
	switch {
	case s.URL == "":
		faults.Add("url", "is required, with access_token: the node has no source of its own to use instead")
	case s.AccessToken.IsZero():
		faults.Add("access_token", "is required: the node's own token goes to the node's own url and history_url only")
	}
	if s.URL != "" {
		validateURL(faults, "url", s.URL, "ws", "wss")
	}
	if s.HistoryURL != "" {
		validateURL(faults, "history_url", s.HistoryURL, "http", "https")
	}
	if !s.AccessToken.IsZero() {
		validateToken(faults, s.AccessToken)
	}
	within(faults, "replay_margin", s.ReplayMargin, minReplayMargin, maxReplayMargin)
	if s.Subject != "" {
		faults.Add("subject", "is for kind %s, which is not available in this version", SourceNATS)
	}
}

func validateToken(faults *fault.List, token secret.String) {
	switch t := token.Reveal(); {
	case t == secret.Mask:
		faults.Add("access_token", "%s", masked)
	case len(t) > maxAccessToken || !printable(t, ""):
		faults.Add("access_token", "must be at most %d bytes without control characters", maxAccessToken)
	}
}

// validateURL never quotes the URL: what does not parse may hold a token.
func validateURL(faults *fault.List, path, raw string, schemes ...string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "" || !slices.Contains(schemes, u.Scheme):
		faults.Add(path, "must be a URL that begins with %s://", strings.Join(schemes, ":// or "))
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		faults.Add(path, "must have neither query nor fragment: access_token, filter and the like are added to it")
	case u.User != nil:
		faults.Add(path, "must have no user and password: the Network Server asks for access_token")
	}
}
