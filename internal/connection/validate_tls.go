package connection

import (
	"encoding/pem"
	"errors"
	"net/netip"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/config/document"
	"github.com/lorry-mqtt/lorry/internal/fault"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

func (t TLS) validate(scheme string) fault.List {
	var faults fault.List
	if scheme == "mqtt" || scheme == "ws" {
		t.refuse(&faults, scheme)
		return faults
	}
	if err := validCertificates(t.CA); err != nil {
		faults.Add("ca", "%s", err)
	}
	t.validateKeyPair(&faults)
	if t.ServerName != "" && !ValidHost(t.ServerName) {
		faults.Add("server_name", "must be a host name or an IP address")
	}
	for i, protocol := range t.ALPN {
		if protocol == "" || len(protocol) > 255 {
			faults.Add(document.Index("alpn", i), "must be 1 to 255 bytes (RFC 7301 §3.1)")
		}
	}
	return faults
}

// refuse reports every setting, because without TLS each would be silently without effect.
func (t TLS) refuse(faults *fault.List, scheme string) {
	for _, f := range []struct {
		path string
		set  bool
	}{
		{"ca", t.CA != ""},
		{"certificate", t.Certificate != ""},
		{"key", !t.Key.IsZero()},
		{"server_name", t.ServerName != ""},
		{"alpn", len(t.ALPN) > 0},
	} {
		if f.set {
			faults.Add(f.path, "has no effect: uri begins with %s://, which is not encrypted; use %ss:// or remove it", scheme, scheme)
		}
	}
}

func (t TLS) validateKeyPair(faults *fault.List) {
	block, _ := pem.Decode([]byte(t.Key.Reveal()))
	certificateErr := validCertificates(t.Certificate)
	switch {
	case certificateErr != nil:
		faults.Add("certificate", "%s", certificateErr)
	case t.Certificate == "" && !t.Key.IsZero():
		faults.Add("certificate", "is required with key")
	}
	switch {
	case t.Key.IsZero() && t.Certificate != "":
		faults.Add("key", "is required with certificate")
	case t.Key.Reveal() == secret.Mask:
		faults.Add("key", "%s", masked)
	case !t.Key.IsZero() && block == nil:
		faults.Add("key", "must be PEM: -----BEGIN PRIVATE KEY----- and so on")
	}
	if t.Certificate == "" || certificateErr != nil || block == nil {
		return
	}
	if _, err := broker.TLSConfig(nil, []byte(t.Certificate), []byte(t.Key.Reveal()), "", nil); err != nil {
		faults.Add("key", "%s", strings.TrimPrefix(err.Error(), "tls.key: "))
	}
}

// validCertificates asks who will use them, as authorities or as the client's own, why they are no certificates.
func validCertificates(text string) error {
	_, err := broker.TLSConfig([]byte(text), nil, nil, "", nil)
	return errors.Unwrap(err) // without the name of the field
}

// ValidHost reports whether s is an IP address or a host name: labels of letters, digits and inner hyphens, at most
// 63 bytes each and 253 together (RFC 1123 §2.1).
func ValidHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, notHost) {
			return false
		}
	}
	return true
}

// notHost allows "_" besides what RFC 1123 does: internal names have it.
func notHost(r rune) bool {
	letter := r|0x20 >= 'a' && r|0x20 <= 'z'
	return !letter && (r < '0' || r > '9') && r != '-' && r != '_'
}
