package connection

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/secret"
)

// URI is an address that may hold a password in its userinfo. It shows itself with the password masked, whether it
// is a valid URI or not; [URI.Reveal] is the only way to the whole. Values are comparable.
type URI struct {
	whole secret.String
}

// NewURI makes a URI of s, as it is.
func NewURI(s string) URI { return URI{secret.New(s)} }

// Reveal returns the URI with its password.
func (u URI) Reveal() string { return u.whole.Reveal() }

// IsZero reports whether the URI is empty.
func (u URI) IsZero() bool { return u.whole.IsZero() }

// Scheme returns the URI's scheme in lower case, "" when it has none.
func (u URI) Scheme() string {
	scheme, _, found := strings.Cut(u.Reveal(), "://")
	if !found || strings.ContainsAny(scheme, ":/?#@") {
		return ""
	}
	return strings.ToLower(scheme)
}

// String returns the URI with [secret.Mask] in the password's place.
//
// What cannot be told apart is masked: the userinfo is taken to reach up to the last "@", because a password whose
// "/", "?" or "@" was not percent-encoded (RFC 3986 §3.2.1) would show its rest otherwise.
func (u URI) String() string {
	whole := u.Reveal()
	end := strings.LastIndexByte(whole, '@')
	if end < 0 {
		return whole
	}
	begin := 0
	if scheme := u.Scheme(); scheme != "" {
		begin = len(scheme) + len("://")
	}
	user, _, hasPassword := strings.Cut(whole[begin:end], ":")
	if !hasPassword {
		return whole
	}
	return whole[:begin] + user + ":" + secret.Mask + whole[end:]
}

// Format writes what [URI.String] returns, whatever the verb and its flags.
func (u URI) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, u.String()) }

// LogValue is what slog records: the masked text.
func (u URI) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalText encodes the masked text.
func (u URI) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText takes text as it is.
func (u *URI) UnmarshalText(text []byte) error {
	*u = NewURI(string(text))
	return nil
}
