package broker

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// Reasons for which a session ends (Events.Lost) or a call fails, for errors.Is.
var (
	ErrSessionClosed  = errors.New("the session has ended")
	ErrConnectTimeout = errors.New("no answer in time")
	// ErrKeepAlive: the broker did not answer a PINGREQ (MQTT 3.1.1 §3.1.2.10).
	ErrKeepAlive = errors.New("no PINGRESP from the broker")
	// ErrWriteTimeout: the network took nothing for as long as Options.AckTimeout.
	ErrWriteTimeout = errors.New("write timeout")
	// ErrClosedByBroker: the broker ended the connection in good order, as it does when another client connects with
	// the same client ID (MQTT 3.1.1 §3.1.4) or when it disapproves of a packet (§4.8).
	ErrClosedByBroker = errors.New("the broker closed the connection")
	// ErrReset: the connection broke.
	ErrReset = errors.New("the connection was reset")
	// ErrUnpublishable: no broker can be given this message. The session is not affected.
	ErrUnpublishable = errors.New("message cannot be published")
)

// Class says whether trying again can help.
type Class int

const (
	// Retryable errors may go away by themselves: try again after a pause.
	Retryable Class = iota
	// Refused errors stay until somebody changes something, here or at the broker.
	Refused
)

// String is the class in lower case.
func (c Class) String() string {
	if c == Refused {
		return "refused"
	}
	return "retryable"
}

// Classify tells the class of an error that this package returned. What it does not know is [Retryable]: to try again
// in vain costs less than never to try again.
func Classify(err error) Class {
	var classified interface{ Class() Class }
	if errors.As(err, &classified) {
		return classified.Class()
	}
	var dialled interface{ Refused() bool } // of Options.Dial
	if errors.As(err, &dialled) && dialled.Refused() {
		return Refused
	}
	var verification *tls.CertificateVerificationError
	if errors.As(err, &verification) || errors.Is(err, ErrInvalidOptions) || isTLSRefusal(err) {
		return Refused
	}
	return Retryable
}

// isTLSRefusal reports whether the broker ended TLS because of what the client showed, or did not show, or asked for
// (RFC 8446 §6.2). crypto/tls has no type for it. Of a missing certificate TLS 1.2 says no more than "handshake
// failure".
func isTLSRefusal(err error) bool {
	var remote *net.OpError
	if !errors.As(err, &remote) || remote.Op != "remote error" {
		return false
	}
	alerts := []string{"certificate", "handshake failure", "access denied", "no application protocol", "unrecognized name"}
	return slices.ContainsFunc(alerts, func(alert string) bool { return strings.Contains(remote.Err.Error(), alert) })
}

// Stage is how far towards or within a session something went wrong.
type Stage string

// The stages, in order.
const (
	StageOptions   Stage = "options"
	StageDNS       Stage = "dns"
	StageTCP       Stage = "tcp"
	StageTLS       Stage = "tls"
	StageWebSocket Stage = "websocket"
	StageConnack   Stage = "connack"
	StageSuback    Stage = "suback"
	StageSession   Stage = "session"
)

// tried says what failed when a stage fails.
var tried = map[Stage]string{
	StageOptions:   "connect to",
	StageDNS:       "resolve the host of",
	StageTCP:       "connect to",
	StageTLS:       "TLS handshake with",
	StageWebSocket: "WebSocket upgrade at",
	StageConnack:   "MQTT CONNECT to",
	StageSuback:    "subscribe at",
	StageSession:   "session with",
}

// Error is what Connect and Subscribe return and Events.Lost brings: what was tried on which broker, why it failed,
// and what can be done about it.
type Error struct {
	Stage  Stage
	Target string // the broker, without user and password
	Err    error  // the cause
	Mend   string // what to do, in a clause; empty when that is not known
}

// Error is one sentence: what was tried, the cause, what to do.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s %s: %v", tried[e.Stage], cmp.Or(e.Target, "a broker"), e.Err)
	if e.Mend != "" {
		text += ": " + e.Mend
	}
	return text
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// fail makes the error of a stage, with what can be done about it.
func fail(stage Stage, o Options, err error) *Error {
	return &Error{Stage: stage, Target: o.URI.Target(), Err: err, Mend: mend(stage, o, err)}
}

// ConnackError is the broker's refusal of a CONNECT (MQTT 3.1.1 §3.2.2.3).
type ConnackError struct{ Code byte }

var connackCodes = map[byte]string{
	1: "unacceptable protocol version",
	2: "client ID rejected",
	3: "server unavailable",
	4: "bad user or password",
	5: "not authorized",
}

// Error is the code and its meaning in the standard's words.
func (e *ConnackError) Error() string {
	meaning, known := connackCodes[e.Code]
	if !known {
		meaning = "a code that MQTT 3.1.1 does not have"
	}
	return fmt.Sprintf("CONNACK %d, %s", e.Code, meaning)
}

// Class is Refused, except for code 3, server unavailable, and codes that mean nothing.
func (e *ConnackError) Class() Class {
	switch e.Code {
	case 1, 2, 4, 5:
		return Refused
	}
	return Retryable
}

// UpgradeError is an answer to the WebSocket's opening request that does not open one (RFC 6455 §4.1).
type UpgradeError struct {
	Status int    // HTTP status code
	Line   string // the first line of the body, shortened; may be empty
}

// Error is the status and the line.
func (e *UpgradeError) Error() string {
	text := fmt.Sprintf("HTTP %d", e.Status)
	if phrase := http.StatusText(e.Status); phrase != "" {
		text += " " + phrase
	}
	if e.Line != "" {
		text += fmt.Sprintf(" (%q)", e.Line)
	}
	return text
}

// Class is Refused for redirections and client errors, except those that ask to come back later.
func (e *UpgradeError) Class() Class {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return Retryable
	}
	if e.Status >= 300 && e.Status < 500 {
		return Refused
	}
	return Retryable
}

// SubscribeError is the broker's refusal of a subscription (MQTT 3.1.1 §3.9.3).
type SubscribeError struct {
	Filter string
	Code   byte // 0x80
}

// Error is the code and the filter.
func (e *SubscribeError) Error() string {
	return fmt.Sprintf("SUBACK 0x%02x for the topic filter %.200q", e.Code, e.Filter)
}

// Class is Refused.
func (*SubscribeError) Class() Class { return Refused }

// ProtocolError is something the broker may not send (MQTT 3.1.1 §4.8).
type ProtocolError struct{ Reason string }

// Error is what the broker did.
func (e *ProtocolError) Error() string { return "protocol violation by the broker: " + e.Reason }
