package api

import (
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

// options is a server of a node that is ready, on a free port.
func options() Options {
	return Options{
		Listen:  "127.0.0.1:0",
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "lorry_frames_total 1\n") }),
		Ready:   func() error { return nil },
		Log:     zerolog.Nop(),
	}
}

// token admits whoever presents the text, to what has the tag NAME=VALUE if there is one.
func token(text string, admin bool, tag string) Token {
	name, value, _ := strings.Cut(tag, "=")
	return Token{Hash: sha256.Sum256([]byte(text)), Admin: admin, TagName: name, Tag: value}
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s := New(o)
	if s.Address() != "" {
		t.Errorf("it listens at %s before Start", s.Address())
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// answer is what came back for a request.
type answer struct {
	status int
	header http.Header
	body   string
}

func ask(t *testing.T, s *Server, method, path, authorization string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Address()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true // no connection stays behind
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

func TestPaths(t *testing.T) {
	o := options()
	reason := errors.New("no connection to NATS")
	o.Ready = func() error { return reason }
	ready, unready := start(t, options()), start(t, o)
	for _, c := range []struct {
		server       *Server
		method, path string
		status       int
		body         string
	}{
		{ready, "GET", "/healthz", 200, "ok\n"},
		{ready, "HEAD", "/healthz", 200, ""},
		{ready, "GET", "/readyz", 200, "ready\n"},
		{ready, "GET", "/metrics", 200, "lorry_frames_total 1\n"},
		{unready, "GET", "/healthz", 200, "ok\n"},
		{unready, "GET", "/readyz", 503, "no connection to NATS\n"},
		{unready, "GET", "/metrics", 200, "lorry_frames_total 1\n"},
		{ready, "GET", "/", 404, "404 page not found\n"},
		{ready, "GET", "/healthz/", 404, "404 page not found\n"},
	} {
		if got := ask(t, c.server, c.method, c.path, ""); got.status != c.status || got.body != c.body {
			t.Errorf("%s %s: %d %q, want %d %q", c.method, c.path, got.status, got.body, c.status, c.body)
		}
	}
}

func TestMethodsThatAreNotAllowed(t *testing.T) {
	o := options()
	o.Tokens = []Token{token("0123456789abcdef", true, "")}
	s := start(t, o)
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			got := ask(t, s, method, path, "")
			if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "GET, HEAD" || strings.Contains(got.body, "lorry") {
				t.Errorf("%s %s: %+v", method, path, got)
			}
		}
	}
}

func TestAddressInUse(t *testing.T) {
	first := start(t, options())
	o := options()
	o.Listen = first.Address()
	s := New(o)
	err := s.Start()
	if err == nil || !strings.HasPrefix(err.Error(), "http.listen: listen tcp "+first.Address()+": ") ||
		!strings.Contains(err.Error(), "address already in use (is another lorry running?") {
		t.Error(err)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("stop a server that did not start: %v", err)
	}
}

// A server that cannot accept any more says so: a node without health checks is no node.
func TestFailure(t *testing.T) {
	s := start(t, options())
	if err := s.listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-s.Failed(); !errors.Is(err, net.ErrClosed) || !strings.HasPrefix(err.Error(), "serve HTTP on "+s.Address()) {
		t.Error(err)
	}
}
