package source

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// refused dials, which must fail, and returns how.
func refused(t *testing.T, o WebSocketOptions) *DialError {
	t.Helper()
	s, err := DialWebSocket(patient(t), o)
	if err == nil {
		_ = s.Close()
		t.Fatal("dialled")
	}
	var dial *DialError
	if !errors.As(err, &dial) {
		t.Fatalf("%v is no DialError", err)
	}
	return dial
}

func TestRefusedUpgrades(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]struct {
		class Class
		mend  string
	}{
		301: {Refused, "redirects are not followed"},
		200: {Refused, "check source.url"},
		400: {Refused, "check source.url and the filter"},
		401: {Refused, "access_token"},
		403: {Refused, "access_token"},
		404: {Refused, "filter is unknown"},
		429: {Retryable, "busy"},
		500: {Retryable, "trouble"},
		503: {Retryable, "trouble"},
	} {
		e := refused(t, listen(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "\n  the \x07 reason\t \nand more\n"+strings.Repeat("x", 5000))
		}))
		if e.Status != status || e.Stage != StageWebSocket || e.Class != want.class || !strings.Contains(e.Mend, want.mend) {
			t.Errorf("%d: %+v, want %+v", status, e, want)
		}
		if e.Body != "the \x07 reason" || !strings.Contains(e.Error(), `: "the \a reason"`) {
			t.Errorf("%d: body %q in %q, want its first line", status, e.Body, e)
		}
	}
}

func TestALongRefusalIsCut(t *testing.T) {
	t.Parallel()
	e := refused(t, listen(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(404)
		_, _ = io.WriteString(w, strings.Repeat("é", 5000))
	}))
	if e.Body != strings.Repeat("é", maxShown/2) {
		t.Errorf("body of %d bytes: %q", len(e.Body), e.Body)
	}
}

// answer takes one connection, reads what comes first and writes the text.
func answer(t *testing.T, text string) WebSocketOptions {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	}()
	return WebSocketOptions{URL: "ws://" + l.Addr().String() + "/"}
}

func TestServersThatAreNotWebSocketServers(t *testing.T) {
	t.Parallel()
	const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	for name, c := range map[string]struct {
		text, scheme string
		stage        Stage
		class        Class
		want         string
	}{
		"closes":            {"", "ws", StageWebSocket, Retryable, "wss://"},
		"speaks MQTT":       {"\x20\x02\x00\x00", "ws", StageWebSocket, Refused, "no WebSocket server"},
		"speaks SMTP":       {"220 mail.example ESMTP\r\n", "ws", StageWebSocket, Refused, "no WebSocket server"},
		"wrong accept key":  {switching + "Sec-WebSocket-Accept: AAAA\r\n\r\n", "ws", StageWebSocket, Refused, "RFC 6455"},
		"endless header":    {switching + "X: " + strings.Repeat("x", 1<<20), "ws", StageWebSocket, Refused, "64 KiB"},
		"no TLS":            {"HTTP/1.1 400 Bad Request\r\n\r\n", "wss", StageTLS, Refused, "ws://"},
		"closes before TLS": {"", "wss", StageTLS, Retryable, "EOF"},
	} {
		o := answer(t, c.text)
		o.URL = c.scheme + strings.TrimPrefix(o.URL, "ws")
		if e := refused(t, o); e.Stage != c.stage || e.Class != c.class || !strings.Contains(e.Error(), c.want) {
			t.Errorf("%s: %s, %s: %v, want %s, %s with %q", name, e.Stage, e.Class, e, c.stage, c.class, c.want)
		}
	}
}

func TestAnUnaskedExtensionIsRefused(t *testing.T) {
	t.Parallel()
	o := listen(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Accept: "+acceptKey(r.Header.Get("Sec-WebSocket-Key"))+"\r\n"+
			"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n\r\n")
		_ = conn.Close()
	})
	if e := refused(t, o); !strings.Contains(e.Error(), "not asked for") {
		t.Errorf("%v, want the extension refused", e)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	e := refused(t, WebSocketOptions{URL: "ws://" + l.Addr().String()})
	if e.Stage != StageTCP || e.Class != Retryable || !strings.Contains(e.Mend, "nothing listens") {
		t.Errorf("%s, %s: %v", e.Stage, e.Class, e)
	}
}

func TestTheNameIsUnknown(t *testing.T) {
	t.Parallel()
	o := WebSocketOptions{URL: "ws://nowhere.invalid", Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "nowhere.invalid", IsNotFound: true}}
	}}
	if e := refused(t, o); e.Stage != StageDNS || e.Class != Refused || !strings.Contains(e.Mend, "host name") {
		t.Errorf("%s, %s: %v", e.Stage, e.Class, e)
	}
}

func TestTheDialHookIsAskedForTheDefaultPort(t *testing.T) {
	t.Parallel()
	no := errors.New("no way")
	for u, want := range map[string]string{
		"ws://ns.example/": "ns.example:80", "wss://ns.example/": "ns.example:443", "wss://ns.example:9000": "ns.example:9000",
		"ws://[::1]/": "[::1]:80",
	} {
		var asked string
		e := refused(t, WebSocketOptions{URL: u, Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			asked = address
			return nil, no
		}})
		if asked != want || !errors.Is(e, no) || e.Stage != StageTCP {
			t.Errorf("%s: asked for %s, want %s; %v", u, asked, want, e)
		}
	}
}

// denial is what a policy says that lets no connection through.
type denial struct{ always bool }

func (denial) Error() string   { return "denied" }
func (d denial) Refused() bool { return d.always }

func TestTheDialHookDenies(t *testing.T) {
	t.Parallel()
	for always, want := range map[bool]Class{true: Refused, false: Retryable} {
		e := refused(t, WebSocketOptions{URL: "ws://ns.example/", Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, denial{always}
		}})
		if e.Class != want || e.Stage != StageTCP || !errors.Is(e, denial{always}) {
			t.Errorf("%s, %s: %v", e.Stage, e.Class, e)
		}
	}
}

// A proxy that the environment names would be asked for the connection, and told the token.
func TestTheEnvironmentsProxyIsNotAsked(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, "http://"+l.Addr().String())
	}
	for _, scheme := range []string{"ws", "wss"} {
		var asked string
		refused(t, WebSocketOptions{URL: scheme + "://ns.example:1", Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			asked = address
			return nil, errors.New("far enough")
		}})
		if asked != "ns.example:1" {
			t.Errorf("%s: dials %s", scheme, asked)
		}
	}
}

func TestABlackHoleIsLeftInTime(t *testing.T) {
	t.Parallel()
	hole := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	mute := func(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
		return func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			t.Cleanup(func() { _ = theirs.Close() })
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			return ours, nil
		}
	}
	for name, c := range map[string]struct {
		url   string
		dial  func(*testing.T) func(context.Context, string, string) (net.Conn, error)
		stage Stage
		mend  string
	}{
		"no answer to SYN":          {"ws://h", func(*testing.T) func(context.Context, string, string) (net.Conn, error) { return hole }, StageTCP, "firewall"},
		"no answer to the upgrade":  {"ws://h", mute, StageWebSocket, "does not answer the WebSocket upgrade"},
		"no answer to Client Hello": {"wss://h", mute, StageTLS, "does not answer a TLS handshake"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				e := refusedIn(t, t.Context(), WebSocketOptions{URL: c.url, Dial: c.dial(t)})
				if e.Stage != c.stage || e.Class != Retryable || !errors.Is(e, context.DeadlineExceeded) ||
					!strings.Contains(e.Error(), "no answer within 10s") || !strings.Contains(e.Mend, c.mend) {
					t.Errorf("%s, %s: %v", e.Stage, e.Class, e)
				}
				if took := time.Since(begin); took != DefaultConnectTimeout {
					t.Errorf("took %s, want %s", took, DefaultConnectTimeout)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(3*time.Second, cancel)
				begin := time.Now()
				e := refusedIn(t, ctx, WebSocketOptions{URL: c.url, Dial: c.dial(t)})
				if took := time.Since(begin); took != 3*time.Second || !errors.Is(e, context.Canceled) {
					t.Errorf("cancelled after 3s: took %s: %v", took, e)
				}
			})
		})
	}
}

func refusedIn(t *testing.T, ctx context.Context, o WebSocketOptions) *DialError {
	t.Helper()
	_, err := DialWebSocket(ctx, o)
	var dial *DialError
	if !errors.As(err, &dial) {
		t.Fatalf("%v, want a DialError", err)
	}
	return dial
}
