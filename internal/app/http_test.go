package app_test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/app"
	"github.com/lorry-mqtt/lorry/internal/config"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The API over TLS, to bearers whose tokens are known by file and by hash.
func TestHTTPSAndTokens(t *testing.T) {
	const byFile, byHash = "token-of-the-file-0123", "token-by-its-hash-0123"
	ca := testkit.NewCA(t)
	pair := ca.Server(t, "127.0.0.1")
	hash := sha256.Sum256([]byte(byHash))
	cfg := node(t, startNS(t))
	cfg.HTTP.TLS = config.HTTPTLS{Certificate: writeFile(t, "cert.pem", pair.Certificate), Key: writeFile(t, "key.pem", pair.Key)}
	cfg.HTTP.Tokens = []config.Token{
		{TokenFile: writeFile(t, "token", []byte(byFile+"\n")), Scope: config.ScopeAdmin},
		{SHA256: strings.ToUpper(hex.EncodeToString(hash[:])), Scope: config.ScopeRead, Tag: "customer=acme"},
	}
	a := start(t, cfg)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS12}}}
	ask := func(method, path, token string) int {
		q, err := http.NewRequestWithContext(t.Context(), method, "https://"+a.HTTPAddress()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+token)
		response, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	for _, c := range []struct {
		method, path, token string
		want                int
	}{
		{"GET", "/api/v1/connections", byFile, 200},
		{"GET", "/api/v1/connections", byHash, 200},
		{"GET", "/api/v1/connections", "another-token-0123", 401},
		{"GET", "/api/v1/connections", hex.EncodeToString(hash[:]), 401}, // a hash is no token
		{"POST", "/api/v1/connections/none/pause", byFile, 404},
		{"POST", "/api/v1/connections/none/pause", byHash, 403},
		{"GET", "/metrics", byFile, 200},
		{"GET", "/metrics", byHash, 403},
		{"GET", "/readyz", "", 200},
	} {
		if got := ask(c.method, c.path, c.token); got != c.want {
			t.Errorf("%s %s by %s: %d, want %d", c.method, c.path, c.token, got, c.want)
		}
	}
}

func TestATokenFileThatIsNone(t *testing.T) {
	cfg := node(t, startNS(t))
	cfg.HTTP.Tokens = []config.Token{{TokenFile: writeFile(t, "token", []byte("hunter2")), Scope: config.ScopeAdmin}}
	_, err := app.New(cfg, zerolog.Nop(), "test", "")
	if err == nil || !strings.HasPrefix(err.Error(), "http.tokens[0].token_file: ") || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

// A node that parks frames has none for a connection that never parked one.
func TestNoParkedFrames(t *testing.T) {
	broker := testkit.StartBroker(t)
	o := operate(t, start(t, node(t, startNS(t))))
	o.want(201, "POST", "/connections", written("acme", broker.URI("mqtt"), ""))
	o.await("connected", "/connections/acme/status", has(`"state":"connected"`))
	if got := o.want(200, "GET", "/connections/acme/parked", ""); got != `{"frames":[]}`+"\n" {
		t.Error(got)
	}
	o.want(404, "POST", "/connections/acme/parked/1/resend", "")
	o.want(404, "DELETE", "/connections/acme/parked/1", "")
	if got := o.want(200, "POST", "/connections/acme/test", ""); !strings.Contains(got, `"ok":true`) || !strings.Contains(got, `"puback"`) {
		t.Error(got)
	}
}
