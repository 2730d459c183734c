package source

import (
	"errors"
	"fmt"
)

// EndReason says in one word why a session ended. The words are fit for a metric's label.
type EndReason string

// The reasons for the end of a session.
const (
	EndClosed     EndReason = "closed"      // Close was called
	EndCloseFrame EndReason = "close_frame" // the peer took its leave (RFC 6455 §5.5.1)
	EndLost       EndReason = "lost"        // the connection broke without a leave
	EndSilence    EndReason = "silence"     // nothing at all was received for too long
	EndWrite      EndReason = "write"       // a message could not be written, or not in time
	EndProtocol   EndReason = "protocol"    // the peer broke the rules of RFC 6455 or of TLS
)

// EndedError is why a session is over. The owner dials another one; none of the reasons speaks against trying.
type EndedError struct {
	Reason    EndReason
	CloseCode int    // of the peer's close frame (RFC 6455 §7.4), 1005 when it gave none; else 0
	CloseText string // the peer's words in it
	Err       error  // what happened underneath; nil for EndClosed and EndCloseFrame
}

func (e *EndedError) Error() string {
	switch {
	case e.Reason == EndClosed:
		return "session is closed"
	case e.Reason == EndCloseFrame && e.CloseText != "":
		return fmt.Sprintf("session ended by the Network Server: close code %d: %q", e.CloseCode, e.CloseText)
	case e.Reason == EndCloseFrame:
		return fmt.Sprintf("session ended by the Network Server: close code %d", e.CloseCode)
	default:
		return fmt.Sprintf("session ended: %v", e.Err)
	}
}

// Unwrap returns Err.
func (e *EndedError) Unwrap() error { return e.Err }

// Stage is a step on the way to a session.
type Stage string

// The stages of a dial, in their order.
const (
	StageOptions   Stage = "options"
	StageDNS       Stage = "dns"
	StageTCP       Stage = "tcp"
	StageTLS       Stage = "tls"
	StageWebSocket Stage = "websocket" // the opening handshake (RFC 6455 §4)
	StageStream    Stage = "stream"    // the first message or PONG; no dial fails at it
	StageHTTP      Stage = "http"      // a request to the REST history and its answer, instead of a handshake
)

// Class says whether trying again can help.
type Class int

const (
	// Retryable errors may go away by themselves: the network, a busy or restarting server. Try again after a pause.
	Retryable Class = iota
	// Refused errors stay until somebody changes something, here or at the Network Server.
	Refused
)

// String is the class in lower case.
func (c Class) String() string {
	if c == Refused {
		return "refused"
	}
	return "retryable"
}

// Classify tells the class of an error that this package returned. What it does not know is [Retryable].
func Classify(err error) Class {
	if dial, ok := errors.AsType[*DialError](err); ok {
		return dial.Class
	}
	if history, ok := errors.AsType[*HistoryError](err); ok {
		return history.Class
	}
	return Retryable
}

// DialError is why there is no session. Its text names what was dialled, without secrets, and what to do about it.
type DialError struct {
	URL    string // scheme, host and path; the query, which holds the access token, is left out
	Stage  Stage
	Class  Class
	Status int    // HTTP status of a refused upgrade, else 0
	Body   string // first line of the refusal's body, with the token masked
	Mend   string // what to do about it; empty when that is not known
	Err    error
}

func (e *DialError) Error() string {
	text := fmt.Sprintf("dial Network Server %s: %s: %v", e.URL, e.Stage, e.Err)
	if e.Mend != "" {
		text += ": " + e.Mend
	}
	return text
}

// Unwrap returns Err.
func (e *DialError) Unwrap() error { return e.Err }
