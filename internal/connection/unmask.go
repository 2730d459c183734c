package connection

import (
	"maps"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/secret"
)

// Unmasked returns the connection with each secret that reads [secret.Mask] replaced by the one in its place in
// stored, if there is one: whoever changes an answer and sends it back keeps the secrets that they never saw.
func (s Spec) Unmasked(stored Spec) Spec {
	s.URI = s.URI.unmasked(stored.URI)
	s.Source.AccessToken = unmasked(s.Source.AccessToken, stored.Source.AccessToken)
	s.TLS.Key = unmasked(s.TLS.Key, stored.TLS.Key)
	s.WebSocket.Headers = maps.Clone(s.WebSocket.Headers)
	for name, value := range s.WebSocket.Headers {
		s.WebSocket.Headers[name] = unmasked(value, stored.WebSocket.Headers[name])
	}
	return s
}

func unmasked(s, stored secret.String) secret.String {
	if s.Reveal() == secret.Mask && !stored.IsZero() {
		return stored
	}
	return s
}

// unmasked puts the password of stored into the place of the mask.
func (u URI) unmasked(stored URI) URI {
	begin, end := u.password()
	from, to := stored.password()
	if whole := u.Reveal(); begin < end && whole[begin:end] == secret.Mask && from < to {
		return NewURI(whole[:begin] + stored.Reveal()[from:to] + whole[end:])
	}
	return u
}

// password is where the password is, as [URI.String] takes it; from 0 to 0 when there is none.
func (u URI) password() (begin, end int) {
	whole := u.Reveal()
	if end = strings.LastIndexByte(whole, '@'); end < 0 {
		return 0, 0
	}
	if scheme := u.Scheme(); scheme != "" {
		begin = len(scheme) + len("://")
	}
	user, _, hasPassword := strings.Cut(whole[begin:end], ":")
	if !hasPassword {
		return 0, 0
	}
	return begin + len(user) + 1, end
}
