package connection

import (
	"time"

	"github.com/lorry-mqtt/lorry/internal/secret"
)

// Defaults returns the connection that says nothing: what decoding starts from.
func Defaults() Spec {
	return Spec{
		Enabled: true,
		Tags:    map[string]string{},
		Source:  Source{Kind: SourceWebSocket, ReplayMargin: Duration(time.Minute)},
		MQTT: MQTT{
			KeepAlive:      Duration(30 * time.Second),
			AckTimeout:     Duration(time.Second),
			MaxInflight:    100,
			ConnectTimeout: Duration(10 * time.Second),
		},
		Downlink:  Downlink{MaxWait: Duration(2 * time.Second), ExpiredRequests: ExpiredLast},
		TLS:       TLS{ALPN: []string{}},
		WebSocket: WebSocket{Headers: map[string]secret.String{}},
	}
}

// SourceDefaults is the Network Server for connections that name none.
type SourceDefaults struct {
	URL         string        `yaml:"url"`
	AccessToken secret.String `yaml:"access_token"`
	HistoryURL  string        `yaml:"history_url"`
}

// WithDefaults returns the connection with what depends on other values filled in: the client ID, the subject of a
// NATS source, and the Network Server of one that names none.
//
// The default access token goes to the default URLs only: a connection with a URL of its own, for the stream or for
// the history, needs a token of its own. Else whoever may write a connection could have the node's token sent to
// them.
func (s Spec) WithDefaults(d SourceDefaults) Spec {
	if s.MQTT.ClientID == "" && s.ID != "" {
		s.MQTT.ClientID = "lorry-" + s.ID
	}
	switch {
	case s.Source.Kind == SourceNATS && s.Source.Subject == "" && s.Filter != "":
		s.Source.Subject = "ns." + s.Filter + ".>"
	case s.Source.Kind == SourceWebSocket && s.Source.URL == "":
		s.Source.URL = d.URL
		if s.Source.HistoryURL != "" {
			break
		}
		s.Source.HistoryURL = d.HistoryURL
		if s.Source.AccessToken.IsZero() {
			s.Source.AccessToken = d.AccessToken
		}
	}
	return s
}
