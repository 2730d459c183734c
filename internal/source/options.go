package source

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/turns"
)

// What applies where WebSocketOptions leaves a field zero.
const (
	// DefaultSilence is two of the Network Server's unsolicited PONGs, which come every 25 s.
	DefaultSilence = 50 * time.Second
	// DefaultPingInterval is a little more than one: a Network Server that sends them is not asked for more.
	DefaultPingInterval   = 30 * time.Second
	DefaultConnectTimeout = 10 * time.Second
	DefaultWriteTimeout   = 5 * time.Second
	DefaultMaxFrameBytes  = 1 << 20
)

// WebSocketOptions says which stream of the Data API to open, and how.
type WebSocketOptions struct {
	// URL is the Data API's endpoint, ws:// or wss://. A query that it has is kept.
	URL         string
	AccessToken secret.String
	Filter      string // id of the Network Server's filter; empty for the default message types
	// Radio, Lora and Duplicate ask for the params of these names and for each gateway's copy of an uplink.
	Radio, Lora, Duplicate bool
	// From asks the Network Server to replay its history from then on, to the microsecond; zero for live messages only.
	From time.Time

	Silence        time.Duration // a stream on which nothing at all arrives for so long is dead
	PingInterval   time.Duration // a PING is sent when nothing has arrived for so long (RFC 6455 §5.5.2)
	ConnectTimeout time.Duration // from name resolution to the end of the opening handshake
	WriteTimeout   time.Duration // for one message
	MaxFrameBytes  int           // longer messages are discarded and never held in memory as a whole

	// TLS is used for wss://; nil for the system's authorities. The server's name is always verified:
	// InsecureSkipVerify is not obeyed.
	TLS *tls.Config
	// Dial opens the TCP connection; nil for a net.Dialer. Proxy variables of the environment are not followed. An
	// error of it that has a method Refused() bool that returns true is [Refused].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Turns is shared by sessions that take turns in reading what the network has brought; nil: this one need not.
	Turns turns.Turns
	// Discarded is told of everything received that is not a frame. It is called by the reading goroutine, must not
	// block and must not call the session; nil for nobody.
	Discarded func(Discard)
	// Reached is told of each stage that is behind the session, from StageTCP to StageStream, the last by the reading
	// goroutine; it must not block. Nil for nobody.
	Reached func(Stage)
}

func (o WebSocketOptions) withDefaults() WebSocketOptions {
	o.Silence = cmp.Or(max(o.Silence, 0), DefaultSilence)
	if o.Turns == nil {
		o.Turns = turns.New(1)
	}
	o.PingInterval = cmp.Or(max(o.PingInterval, 0), DefaultPingInterval)
	o.ConnectTimeout = cmp.Or(max(o.ConnectTimeout, 0), DefaultConnectTimeout)
	o.WriteTimeout = cmp.Or(max(o.WriteTimeout, 0), DefaultWriteTimeout)
	o.MaxFrameBytes = cmp.Or(max(o.MaxFrameBytes, 0), DefaultMaxFrameBytes)
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Discarded == nil {
		o.Discarded = func(Discard) {}
	}
	if o.Reached == nil {
		o.Reached = func(Stage) {}
	}
	return o
}

// endpoint parses URL.
func (o WebSocketOptions) endpoint() (*url.URL, error) {
	u, err := parseEndpoint("source.url", o.URL, "ws", "wss")
	switch {
	case err != nil:
		return nil, err
	case u.User != nil:
		return nil, errors.New("source.url has user info, which WebSocket URLs must not; the token goes into source.access_token")
	case u.Fragment != "":
		return nil, errors.New("source.url has a fragment, which WebSocket URLs must not (RFC 6455 §3)")
	}
	return u, nil
}

// parseEndpoint reads the URL of a setting. Its errors do not show the URL, which may hold secrets where they do not
// belong.
func parseEndpoint(setting, raw, scheme, secure string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		if parse, ok := errors.AsType[*url.Error](err); ok {
			err = parse.Err
		}
		return nil, fmt.Errorf("%s is not a URL: %w", setting, err)
	case u.Scheme != scheme && u.Scheme != secure:
		return nil, fmt.Errorf("%s has the scheme %q, want %s or %s", setting, u.Scheme, scheme, secure)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%s names no host", setting)
	}
	return u, nil
}

// request returns endpoint with the query that asks for this stream. It holds the token: not for printing.
func (o WebSocketOptions) request(endpoint *url.URL) *url.URL {
	u := *endpoint
	q := u.Query()
	set := func(key, value string) {
		if value != "" {
			q.Set(key, value)
		}
	}
	set("access_token", o.AccessToken.Reveal())
	set("filter", o.Filter)
	set("radio", flag(o.Radio))
	set("lora", flag(o.Lora))
	set("duplicate", flag(o.Duplicate))
	set("from_unixtime", unixTime(o.From))
	u.RawQuery = q.Encode()
	return &u
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return ""
}

// unixTime writes t in Unix seconds with microseconds, rounded down so that what is asked for starts no later than t.
func unixTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	micros := max(t.UnixMicro(), 0)
	return fmt.Sprintf("%d.%06d", micros/1e6, micros%1e6)
}

// redacted is endpoint as it may be shown: without its query.
func redacted(endpoint *url.URL) string {
	return (&url.URL{Scheme: endpoint.Scheme, Host: endpoint.Host, Path: endpoint.Path}).String()
}

// mask hides the token in what the server said about it.
func (o WebSocketOptions) mask(text string) string { return mask(o.AccessToken, text) }

func mask(hidden secret.String, text string) string {
	token := hidden.Reveal()
	if token == "" {
		return text
	}
	return strings.NewReplacer(token, secret.Mask, url.QueryEscape(token), secret.Mask, url.PathEscape(token), secret.Mask).Replace(text)
}
