package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// Defaults of Options whose field is zero.
const (
	DefaultKeepAlive      = 30 * time.Second
	DefaultAckTimeout     = time.Second
	DefaultConnectTimeout = 10 * time.Second
)

// Options says with whom to have a session and how.
type Options struct {
	URI      URI
	ClientID string // empty: the broker makes one up (MQTT 3.1.1 §3.1.3.1)

	// KeepAlive is the longest silence towards the broker, from 1 s to 65535 s in whole seconds
	// (MQTT 3.1.1 §3.1.2.10). A broker that does not answer a PINGREQ within half of it (at least 1 s, at most 10 s)
	// counts as gone.
	KeepAlive time.Duration
	// AckTimeout is how long a write may take until the network has taken it. The deadlines of PUBACKs are the
	// owner's to keep.
	AckTimeout time.Duration
	// ConnectTimeout bounds all of Connect: name resolution, TCP, TLS, WebSocket, CONNACK.
	ConnectTimeout time.Duration

	Retain bool        // publish with RETAIN
	TLS    *tls.Config // nil: the system's authorities, TLS 1.2 at least; the name is verified in any case
	Header http.Header // further fields of the WebSocket's opening request

	// Dial opens the TCP connection; nil means a plain net.Dialer. An error of it that has a method
	// Refused() bool that returns true is [Refused].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Reached is told by Connect of each stage that is behind it, from StageTCP to StageConnack, before it returns; nil
	// for nobody.
	Reached func(Stage)
}

// Message is one message to publish.
type Message struct {
	Seq     uint64 // the owner's number for it, given back by Events.Acknowledged
	Topic   string
	Payload []byte // not to be changed before it is acknowledged or the session has ended
}

// Events is what the owner of a session hears. The functions are called by the session's goroutines, one at a time for
// each kind; they must not block, nor call Close. Those left nil are not called. The first may come before Connect has
// returned.
type Events struct {
	// Acknowledged is called once for each PUBACK that settles a message of Publish, in the order in which the PUBACKs
	// arrive, whatever the order of seq.
	Acknowledged func(seq uint64)
	// Arrived is called for each message on a subscribed filter, in the order in which they arrive. The payload is
	// the owner's to keep. A message of QoS 1 is acknowledged to the broker when Arrived has returned.
	Arrived func(topic string, payload []byte)
	// Lost is called exactly once when the session ends for any reason other than Close, and nothing is called after
	// it. What was published and not acknowledged until then may or may not have reached the broker.
	Lost func(err error)
}

// ErrInvalidOptions is in the error of a Connect that was given options with which no broker can be asked.
var ErrInvalidOptions = errors.New("invalid options")

// complete returns the options with defaults in place of zero values, or what is wrong with them.
func (o Options) complete() (Options, error) {
	if o.KeepAlive == 0 {
		o.KeepAlive = DefaultKeepAlive
	}
	if o.AckTimeout == 0 {
		o.AckTimeout = DefaultAckTimeout
	}
	if o.ConnectTimeout == 0 {
		o.ConnectTimeout = DefaultConnectTimeout
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.Reached == nil {
		o.Reached = func(Stage) {}
	}
	switch {
	case o.URI == URI{}:
		return o, fmt.Errorf("%w: no URI", ErrInvalidOptions)
	case len(o.ClientID) > maxField || !utf8.ValidString(o.ClientID) || strings.ContainsRune(o.ClientID, 0):
		return o, fmt.Errorf("%w: the client ID is not UTF-8 text without NUL of at most 65535 bytes "+
			"(MQTT 3.1.1 §1.5.3)", ErrInvalidOptions)
	case o.KeepAlive < time.Second || o.KeepAlive > maxField*time.Second:
		return o, fmt.Errorf("%w: keep alive of %v is not within 1s and 65535s (MQTT 3.1.1 §3.1.2.10)",
			ErrInvalidOptions, o.KeepAlive)
	case o.AckTimeout < 0 || o.ConnectTimeout < 0:
		return o, fmt.Errorf("%w: a timeout is negative", ErrInvalidOptions)
	case o.TLS != nil && o.TLS.InsecureSkipVerify:
		return o, fmt.Errorf("%w: TLS without verification; trust an authority of your own with tls.ca instead",
			ErrInvalidOptions)
	}
	for name := range o.Header {
		if reserved(name) {
			return o, fmt.Errorf("%w: the header field %.80q is the WebSocket's own (RFC 6455 §4.1)", ErrInvalidOptions, name)
		}
	}
	return o, nil
}

// reserved reports whether a header field of the opening request is not the owner's to set.
func reserved(field string) bool {
	field = http.CanonicalHeaderKey(field)
	return field == "Upgrade" || field == "Connection" || strings.HasPrefix(field, "Sec-Websocket-")
}

// pingTimeout is how long a PINGRESP may take.
func (o Options) pingTimeout() time.Duration {
	return min(max(o.KeepAlive/2, time.Second), 10*time.Second)
}
