package client

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/lorry-mqtt/lorry/internal/eventlog"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers as told, and makes a client of it.
func serve(t *testing.T, answer http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	c, err := New(server.URL, secret.New("the-token"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestARequestTooManyIsSentAgain(t *testing.T) {
	asked := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != "{}" || r.Header.Get("Authorization") != "Bearer the-token" || r.URL.Path != "/api/v1/x" {
			t.Errorf("%q, %v, %+v", body, err, r)
		}
		if asked++; asked == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = io.WriteString(w, `{"a": 1}`)
	})
	var out struct{ A int }
	if _, err := c.Do(t.Context(), Request{Method: "POST", Path: "/x", Body: []byte("{}")}, &out); err != nil || out.A != 1 || asked != 2 {
		t.Errorf("%+v, %v, asked %d times", out, err, asked)
	}
}

func TestRefusals(t *testing.T) {
	for _, r := range []struct {
		status       int
		answer, want string
	}{
		{401, "", "the server asks for a token that it knows: give it with --token or LORRY_TOKEN"},
		{404, `{"status": 404, "detail": "there is none"}`, "there is none"},
		{422, `{"detail": "faulty", "errors": [{"location": "body.uri", "message": "is required"}, {"location": "query.tag", "message": "is odd"}]}`,
			"faulty\nuri: is required\nquery.tag: is odd"},
		{502, "<html>", "the server answered 502 Bad Gateway"},
		{302, "", "the server answered 302 Found"}, // a token goes nowhere else
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			w.WriteHeader(r.status)
			_, _ = io.WriteString(w, r.answer)
		})
		_, err := c.Do(t.Context(), Request{Method: "GET", Path: "/x"}, nil)
		if refusal, ok := errors.AsType[*Error](err); !ok || refusal.Status != r.status || err.Error() != r.want {
			t.Errorf("%d %s: %v", r.status, r.answer, err)
		}
	}
}

func TestFollow(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, ": begin\n\nid: 1\nevent: x\ndata: {\"number\": 1, \"message\": \"one\"}\n\nid: 2\ndata: {\"number\": 2}\n\n")
	})
	var told []uint64
	if err := c.Follow(t.Context(), "a", func(e eventlog.Event) error { told = append(told, e.Number); return nil }); err != nil || len(told) != 2 {
		t.Errorf("%v, %v", told, err)
	}
	enough := errors.New("enough")
	if err := c.Follow(t.Context(), "a", func(eventlog.Event) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
	c = serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "data: nonsense\n\n") })
	if err := c.Follow(t.Context(), "a", func(eventlog.Event) error { return nil }); err == nil || !strings.Contains(err.Error(), "is not lorry's") {
		t.Error(err)
	}
}

func TestNoServer(t *testing.T) {
	for _, server := range []string{"", "127.0.0.1:8080", "ftp://h", "http://", ":"} {
		if _, err := New(server, secret.String{}, nil); err == nil {
			t.Errorf("%q is taken", server)
		}
	}
	if _, err := New("https://h", secret.String{}, []byte("no PEM")); err == nil {
		t.Error("any CA is taken")
	}
}
