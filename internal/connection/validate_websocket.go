package connection

import (
	"net/textproto"
	"regexp"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/config/document"
	"github.com/lorry-mqtt/lorry/internal/fault"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

// Bounds of the handshake's own headers: servers commonly refuse requests beyond 8 KiB.
const (
	maxHeaders     = 32
	maxHeaderValue = 4096 // bytes
)

// headerName is a token (RFC 9110 §5.6.2).
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// reserved are the headers that the handshake sets itself (RFC 6455 §4.1) or that would give it a body.
var reserved = map[string]bool{
	"Host": true, "Upgrade": true, "Connection": true, "Content-Length": true, "Transfer-Encoding": true,
	"Te": true, "Trailer": true,
}

func (w WebSocket) validate(scheme string) fault.List {
	var faults fault.List
	if len(w.Headers) > maxHeaders {
		faults.Add("headers", "are more than %d", maxHeaders)
	}
	seen := map[string]string{}
	for _, name := range sortedKeys(w.Headers) {
		path := document.Child("headers", name)
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case scheme == "mqtt" || scheme == "mqtts":
			faults.Add(path, "has no effect: uri begins with %s://, headers are for ws:// and wss://", scheme)
		case !headerName.MatchString(name):
			faults.Add(path, "is no header name (RFC 9110 §5.6.2)")
		case reserved[canonical] || strings.HasPrefix(canonical, "Sec-Websocket-"):
			faults.Add(path, "is set by the WebSocket handshake itself (RFC 6455 §4.1)")
		case seen[canonical] != "":
			faults.Add(path, "is the same header as %s", seen[canonical])
		}
		seen[canonical] = name
		validateHeaderValue(&faults, path, w.Headers[name])
	}
	return faults
}

func validateHeaderValue(faults *fault.List, path string, value secret.String) {
	switch v := value.Reveal(); {
	case v == secret.Mask:
		faults.Add(path, "%s", masked)
	case len(v) > maxHeaderValue || !printable(v, "\t"):
		faults.Add(path, "must be at most %d bytes of UTF-8 without control characters (RFC 9110 §5.5)", maxHeaderValue)
	}
}
