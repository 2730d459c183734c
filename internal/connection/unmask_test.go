package connection_test

import (
	"testing"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

func TestUnmaskedURI(t *testing.T) {
	for _, c := range []struct{ sent, stored, want string }{
		{"mqtt://u:***@h", "mqtt://u:p@h", "mqtt://u:p@h"},
		{"mqtts://other:***@h2:99", "mqtt://u:p%40ss@h", "mqtts://other:p%40ss@h2:99"},
		{"mqtt://u:***@h", "mqtt://u@h", "mqtt://u:***@h"},
		{"mqtt://u:***@h", "mqtt://h", "mqtt://u:***@h"},
		{"mqtt://u:***@h", "", "mqtt://u:***@h"},
		{"mqtt://u:***x@h", "mqtt://u:p@h", "mqtt://u:***x@h"},
		{"mqtt://u:new@h", "mqtt://u:p@h", "mqtt://u:new@h"},
		{"mqtt://u@h", "mqtt://u:p@h", "mqtt://u@h"},
		{"mqtt://u:***@h", "mqtt://u:p:q@r@h", "mqtt://u:p:q@r@h"},
		{"***", "mqtt://u:p@h", "***"},
		{"", "mqtt://u:p@h", ""},
	} {
		sent, stored := connection.Spec{URI: connection.NewURI(c.sent)}, connection.Spec{URI: connection.NewURI(c.stored)}
		if got := sent.Unmasked(stored).URI.Reveal(); got != c.want {
			t.Errorf("%q over %q: %q, want %q", c.sent, c.stored, got, c.want)
		}
	}
}

// What an answer shows, sent back, is what is stored.
func TestUnmaskedIsTheStored(t *testing.T) {
	stored := connection.Defaults()
	stored.URI = connection.NewURI("wss://u:p@h")
	stored.Source.AccessToken, stored.TLS.Key = secret.New("token"), secret.New("key")
	stored.WebSocket.Headers = map[string]secret.String{"X-Key": secret.New("header")}
	mask := secret.New(secret.Mask)
	sent := connection.Defaults()
	sent.URI = connection.NewURI(stored.URI.String())
	sent.Source.AccessToken, sent.TLS.Key = mask, mask
	sent.WebSocket.Headers = map[string]secret.String{"X-Key": mask, "X-New": mask}
	got := sent.Unmasked(stored)
	if got.URI != stored.URI || got.Source.AccessToken != stored.Source.AccessToken || got.TLS.Key != stored.TLS.Key ||
		got.WebSocket.Headers["X-Key"] != stored.WebSocket.Headers["X-Key"] {
		t.Error("a secret is lost")
	}
	if got.WebSocket.Headers["X-New"] != mask || sent.WebSocket.Headers["X-Key"] != mask {
		t.Error("a mask with nothing behind it was replaced, or the argument changed")
	}
}
