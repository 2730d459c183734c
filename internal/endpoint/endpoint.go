// Package endpoint turns a connection's configuration into what its two ends are opened with. Both the connection itself
// and a test of it go by the same.
package endpoint

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/source"
)

// Dial opens a TCP connection, as net.Dialer.DialContext does; nil for a plain net.Dialer.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// Broker is how to open a session with the connection's broker. An error says that no attempt can succeed before the
// configuration is changed.
func Broker(spec connection.Spec, dial Dial) (broker.Options, error) {
	uri, err := broker.ParseURI(spec.URI.Reveal())
	if err != nil {
		return broker.Options{}, fmt.Errorf("uri: %w", err)
	}
	o := broker.Options{
		URI: uri, ClientID: spec.MQTT.ClientID, KeepAlive: time.Duration(spec.MQTT.KeepAlive),
		AckTimeout: time.Duration(spec.MQTT.AckTimeout), ConnectTimeout: time.Duration(spec.MQTT.ConnectTimeout),
		Retain: spec.MQTT.Retain, Header: http.Header{}, Dial: dial,
	}
	for name, value := range spec.WebSocket.Headers {
		o.Header.Set(name, value.Reveal())
	}
	if uri.Secure() {
		t := spec.TLS
		o.TLS, err = broker.TLSConfig([]byte(t.CA), []byte(t.Certificate), []byte(t.Key.Reveal()), t.ServerName, t.ALPN)
		if err != nil {
			return broker.Options{}, err
		}
	}
	return o, nil
}

// History is how to read the REST history of the connection's Network Server; without a URL where there is none.
func History(spec connection.Spec, dial Dial) source.HistoryOptions {
	return source.HistoryOptions{
		URL: spec.Source.HistoryURL, AccessToken: spec.Source.AccessToken, Filter: spec.Filter,
		Radio: spec.Source.Radio, Lora: spec.Source.LoRa, Duplicate: spec.Source.Duplicate, Dial: dial,
	}
}

// Source is how to open a stream of the connection's Network Server.
func Source(spec connection.Spec, dial Dial) source.WebSocketOptions {
	return source.WebSocketOptions{
		URL: spec.Source.URL, AccessToken: spec.Source.AccessToken, Filter: spec.Filter,
		Radio: spec.Source.Radio, Lora: spec.Source.LoRa, Duplicate: spec.Source.Duplicate, Dial: dial,
	}
}
