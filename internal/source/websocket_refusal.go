package source

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/gorilla/websocket"
)

// maxShown bounds how much of a server's own words is shown, in bytes.
const maxShown = 200

// explain makes a DialError of what connect returned.
func (d *dial) explain(ctx context.Context, response *http.Response, err error) *DialError {
	e := &DialError{URL: redacted(d.endpoint), Stage: d.stage, Class: Retryable, Err: err}
	if alerted(err) {
		e.Stage = StageTLS // with TLS 1.3 a server may refuse us after our part of the handshake is done
	}
	if d.link != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		<-ctx.Done() // the connection's deadline is the context's, and may strike first
	}
	switch {
	case ctx.Err() != nil:
		e.Err = context.Cause(ctx)
		if errors.Is(e.Err, context.DeadlineExceeded) {
			e.Mend = timeoutMend(d.stage)
		}
	case response != nil && errors.Is(err, websocket.ErrBadHandshake):
		d.explainRefusal(e, response)
	case e.Stage == StageTLS:
		explainTLS(e)
	case e.Stage == StageTCP:
		explainTCP(e)
	default:
		d.explainAnswer(e)
	}
	return e
}

func timeoutMend(stage Stage) string {
	switch stage {
	case StageTCP:
		return "check host and port of source.url, and that no firewall drops the way there"
	case StageTLS:
		return "it accepts connections but does not answer a TLS handshake: does the port speak TLS, or is source.url to begin with ws://?"
	default:
		return "it accepts connections but does not answer the WebSocket upgrade: is source.url the Data API's?"
	}
}

func explainTCP(e *DialError) {
	var dns *net.DNSError
	var policy interface{ Refused() bool } // of WebSocketOptions.Dial
	switch {
	case errors.As(e.Err, &policy):
		if policy.Refused() {
			e.Class = Refused
		}
	case errors.As(e.Err, &dns):
		e.Stage = StageDNS
		e.Mend = "check the host name in source.url and this machine's resolver"
		if dns.IsNotFound {
			e.Class = Refused
		}
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		e.Mend = "nothing listens there: check the port in source.url"
	}
}

func explainTLS(e *DialError) {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		record    tls.RecordHeaderError
		invalid   *tls.CertificateVerificationError
	)
	e.Class = Refused
	switch {
	case errors.As(e.Err, &authority):
		e.Mend = "if the server's certificate is of your own authority, give that authority's certificate as the CA"
	case errors.As(e.Err, &name):
		e.Mend = "use the name in source.url that the server's certificate is for"
	case errors.As(e.Err, &invalid):
		e.Mend = "the server's certificate must be renewed, or this machine's clock set"
	case errors.As(e.Err, &record):
		e.Mend = "the port does not speak TLS: is source.url to begin with ws://?"
	case alerted(e.Err):
		e.Mend = "the server refused our side of the handshake: does it ask for a client certificate?"
	default:
		e.Class = Retryable
	}
}

// alerted reports whether err is the server's TLS alert, which crypto/tls has no exported type for.
func alerted(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// explainAnswer is for a server that did not answer the upgrade with a readable HTTP response, or with an upgrade that
// nobody asked for.
func (d *dial) explainAnswer(e *DialError) {
	switch {
	case errors.Is(e.Err, io.ErrUnexpectedEOF), errors.Is(e.Err, io.EOF), errors.Is(e.Err, syscall.ECONNRESET):
		e.Mend = "the connection was closed before the upgrade was answered: does the port speak TLS, is source.url to begin with wss://?"
	default:
		e.Class = Refused
		e.Mend = "what answers there is no WebSocket server: check source.url"
		e.Err = errors.New(shown(d.options.mask(e.Err.Error()))) // it quotes the answer
	}
}

func (d *dial) explainRefusal(e *DialError, r *http.Response) {
	body, _ := io.ReadAll(r.Body) // as much of it as the library kept: at most 1 KiB, in memory
	e.Status, e.Body = r.StatusCode, firstLine(d.options.mask(string(body)))
	e.Class, e.Mend = refusal(r.StatusCode)
	answered := fmt.Sprintf("upgrade refused with HTTP status %d %s", r.StatusCode, http.StatusText(r.StatusCode))
	if r.StatusCode == http.StatusSwitchingProtocols {
		answered = "upgrade answered without the headers that RFC 6455 §4.2.2 asks for"
	}
	if e.Body != "" {
		answered += fmt.Sprintf(": %q", e.Body)
	}
	e.Err = errors.New(answered)
}

func refusal(status int) (Class, string) {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Refused, "the token was refused: check source.access_token"
	case status == http.StatusNotFound:
		return Refused, "the filter is unknown there, or the path of source.url is wrong"
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		return Retryable, "the server is busy or in trouble; it is tried again"
	case status >= 300 && status < 400:
		return Refused, "redirects are not followed: give the final address as source.url"
	default:
		return Refused, "what answers there does not accept this request: check source.url and the filter"
	}
}

// firstLine returns the first line of body that is not empty, or as much of it as is shown.
func firstLine(body string) string {
	for line := range strings.Lines(body) {
		if line = strings.TrimSpace(line); line != "" {
			return shown(line)
		}
	}
	return ""
}

// shown cuts text to the length shown, between two characters.
func shown(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxShown)], "")
}
