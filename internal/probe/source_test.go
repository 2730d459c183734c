package probe_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/probe"
	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// upgraded is a server that accepts WebSockets and does something with them.
func upgraded(t *testing.T, serve func(*websocket.Conn)) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		serve(conn)
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http", "ws", 1)
}

func TestNetworkServersThatCannotBeUsed(t *testing.T) {
	b := testkit.StartBroker(t)
	ns := startNS(t, nil)
	busy := startNS(t, nil)
	if err := busy.Refuse(simulator.Unavailable, 0); err != nil {
		t.Fatal(err)
	}
	secure := startNS(t, func(c *simulator.Config) {
		c.TLS = &tls.Config{Certificates: []tls.Certificate{testkit.NewCA(t).Server(t, "127.0.0.1").TLS(t)}, MinVersion: tls.VersionTLS12}
	})
	mute := upgraded(t, func(conn *websocket.Conn) {
		conn.SetPingHandler(func(string) error { return nil })
		_, _, _ = conn.ReadMessage() // until the client leaves
	})
	leaving := upgraded(t, func(conn *websocket.Conn) {
		_ = conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseTryAgainLater, "full"))
		_, _, _ = conn.ReadMessage()
	})
	for name, c := range map[string]struct {
		url         string
		change      func(*connection.Spec)
		want        string
		cause, mend string
	}{
		"nothing listens": {"ws://" + closedPort(t), nil, "tcp!", "connection refused", "check the port in source.url"},
		"the token": {
			ns.URL(), func(s *connection.Spec) { s.Source.AccessToken = secret.New("hunter2") }, "tcp websocket!",
			"upgrade refused with HTTP status 401 Unauthorized", "check source.access_token",
		},
		"the filter": {
			ns.URL(), func(s *connection.Spec) { s.Filter = "unknown" }, "tcp websocket!",
			"upgrade refused with HTTP status 404 Not Found", "the filter is unknown there",
		},
		"it is busy":       {busy.URL(), nil, "tcp websocket!", "HTTP status 503", "busy or in trouble"},
		"an unknown CA":    {secure.URL(), nil, "tcp tls!", "unknown authority", "authority"},
		"no TLS":           {strings.Replace(ns.URL(), "ws://", "wss://", 1), nil, "tcp tls!", "", "does not speak TLS"},
		"TLS":              {strings.Replace(secure.URL(), "wss://", "ws://", 1), nil, "tcp websocket!", "", "source.url"},
		"a stream ends":    {leaving, nil, "tcp websocket stream!", `close code 1013: "full"`, "does not serve it"},
		"a stream is mute": {mute, nil, "tcp websocket stream!", "no PONG and no message within 5s", "does not serve it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := probe.Probe(t.Context(), spec(t, b.URI("mqtt"), c.url, c.change), nil)
			assertFailure(t, name, r.Source, c.want, c.cause, c.mend)
			if r.OK || stages(r.Broker) != "tcp connack suback puback" {
				t.Errorf("%+v", r)
			}
			withoutSecrets(t, r, "hunter2", token)
		})
	}
}

// Frames count as a sign of life as well as PONGs, and are of no other use.
func TestANetworkServerThatIsTalking(t *testing.T) {
	url := upgraded(t, func(conn *websocket.Conn) {
		conn.SetPingHandler(func(string) error { return nil })
		for range 1000 {
			if conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"info"}`)) != nil {
				return
			}
		}
		_, _, _ = conn.ReadMessage()
	})
	b := testkit.StartBroker(t)
	if r := probe.Probe(t.Context(), spec(t, b.URI("mqtt"), url, nil), nil); !r.OK {
		t.Errorf("%+v", r)
	}
	if n := len(b.Published()); n != 1 {
		t.Errorf("%d messages were published", n)
	}
}
