package source

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestTLSVerifiesTheServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(upgrade(func(p *peer) {
		p.text(t, `{"type":"info"}`)
		_ = p.drain()
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would report each refused handshake
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}

	good := WebSocketOptions{URL: "wss://127.0.0.1:" + port, TLS: &tls.Config{RootCAs: roots}}
	s := open(t, good)
	if got := readN(t, s, 1); got[0] != `{"type":"info"}` {
		t.Errorf("received %s", got)
	}
	_ = s.Close()

	for name, c := range map[string]struct {
		host string
		tls  *tls.Config
		mend string
	}{
		"wrong name":          {"localhost", &tls.Config{RootCAs: roots}, "name in source.url"},
		"wrong name, lax":     {"localhost", &tls.Config{RootCAs: roots, InsecureSkipVerify: true}, "name in source.url"}, //nolint:gosec // must not be obeyed
		"unknown authority":   {"127.0.0.1", nil, "authority"},
		"unknown, lax":        {"127.0.0.1", &tls.Config{InsecureSkipVerify: true}, "authority"}, //nolint:gosec // must not be obeyed
		"expired by our time": {"127.0.0.1", &tls.Config{RootCAs: roots, Time: func() time.Time { return time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC) }}, "renewed"},
	} {
		e := refused(t, WebSocketOptions{URL: "wss://" + c.host + ":" + port, TLS: c.tls})
		if e.Stage != StageTLS || e.Class != Refused || !strings.Contains(e.Mend, c.mend) {
			t.Errorf("%s: %s, %s: %v", name, e.Stage, e.Class, e)
		}
		if c.tls != nil && c.tls.ServerName != "" {
			t.Errorf("%s: the caller's TLS configuration was changed", name)
		}
	}
}

func TestAServerMayAskForAClientCertificate(t *testing.T) {
	t.Parallel()
	// With TLS 1.3 the server's refusal comes after the client's handshake is through (RFC 8446 §4.4.2.4).
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		server := httptest.NewUnstartedServer(upgrade(func(p *peer) { _ = p.drain() }))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: version}
		server.StartTLS()
		t.Cleanup(server.Close)
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		e := refused(t, WebSocketOptions{URL: "wss" + strings.TrimPrefix(server.URL, "https"), TLS: &tls.Config{RootCAs: roots}})
		if e.Stage != StageTLS || e.Class != Refused || !strings.Contains(e.Mend, "client certificate") {
			t.Errorf("%s: %s, %s: %v", tls.VersionName(version), e.Stage, e.Class, e)
		}
	}
}

func TestReachedTellsOfTheStagesBehindASession(t *testing.T) {
	t.Parallel()
	silent := func(p *peer) { _ = p.drain() } // which answers PINGs
	talking := func(p *peer) { p.text(t, `{"type":"info"}`); _ = p.drain() }
	for name, serve := range map[string]func(*peer){"pong": silent, "message": talking} {
		server := httptest.NewTLSServer(upgrade(serve))
		t.Cleanup(server.Close)
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		reached := make(chan Stage, 10)
		s := open(t, WebSocketOptions{
			URL: "wss" + strings.TrimPrefix(server.URL, "https"), TLS: &tls.Config{RootCAs: roots}, PingInterval: time.Millisecond,
			Reached: func(s Stage) { reached <- s },
		})
		for _, want := range []Stage{StageTCP, StageTLS, StageWebSocket, StageStream} {
			select {
			case got := <-reached:
				if got != want {
					t.Errorf("%s: reached %s, want %s", name, got, want)
				}
			case <-time.After(patience):
				t.Fatalf("%s: %s is not reached", name, want)
			}
		}
		_ = s.Close()
		if n := len(reached); n != 0 {
			t.Errorf("%s: reached %d more", name, n)
		}
	}
}
