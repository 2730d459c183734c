package source

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/secret"
)

// answering is a history that a handler plays.
func answering(t *testing.T, handler http.HandlerFunc) HistoryOptions {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return HistoryOptions{URL: server.URL + "/history", AccessToken: secret.New(testToken), Filter: "f1"}
}

// unread reads a history that cannot be read, and returns why, and how many frames came before.
func unread(ctx context.Context, t *testing.T, o HistoryOptions) (*HistoryError, int) {
	t.Helper()
	n := 0
	err := ReadHistory(ctx, o, time.Unix(1_800_000_000, 0), time.Unix(1_800_003_600, 0), func(f []Frame) error { n += len(f); return nil })
	e, ok := errors.AsType[*HistoryError](err)
	if !ok {
		t.Fatalf("%v is no HistoryError", err)
	}
	if strings.Contains(err.Error(), testToken) || strings.Contains(err.Error(), "t0ken") || strings.Contains(e.Body, "t0ken") {
		t.Errorf("the token shows: %v", err)
	}
	return e, n
}

func TestRefusedHistory(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]struct {
		class Class
		mend  string
	}{
		204: {Refused, "source.history_url"}, 301: {Refused, "final address as source.history_url"}, 400: {Refused, "check source.history_url and the filter"},
		401: {Refused, "access_token"}, 403: {Refused, "access_token"}, 404: {Refused, "filter is unknown"},
		429: {Retryable, "busy"}, 500: {Retryable, "trouble"}, 503: {Retryable, "trouble"},
	} {
		asked := 0
		o := answering(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			w.Header().Set("Location", "/elsewhere?"+r.URL.RawQuery)
			w.WriteHeader(status)
			if status != 204 {
				_, _ = io.WriteString(w, "\n the reason: "+r.URL.RawQuery+"\nand more")
			}
		})
		e, _ := unread(patient(t), t, o)
		if e.Status != status || e.Stage != StageHTTP || e.Class != want.class || !strings.Contains(e.Error(), want.mend) || asked != 1 {
			t.Errorf("%d: %+v after %d requests, want %+v", status, e, asked, want)
		}
	}
}

// element is one of an answer's.
func element(n int) string {
	return fmt.Sprintf(`{"id":"%d-0","message":{"type":"uplink","meta":{"time":%d},"params":{"counter_up":%d}}}`, n, 1_800_000_000+n, n)
}

func TestAnswersThatAreNotTheHistorys(t *testing.T) {
	t.Parallel()
	one := element(1)
	for text, want := range map[string]struct {
		class  Class
		frames int
		says   string
	}{
		"<html>":                          {Refused, 0, "it begins with '<'"},
		`{"error":"no"}`:                  {Refused, 0, "it begins with '{'"},
		`["a"]`:                           {Refused, 0, "where a message was to begin"},
		"[" + one + " " + one:             {Refused, 1, "between two messages"},
		"[" + one + "] x":                 {Refused, 1, "behind its end"},
		"[" + one + ",":                   {Retryable, 1, "cut off"},
		"":                                {Retryable, 0, "cut off"},
		"[" + one + "," + one[:40]:        {Retryable, 1, "cut off"},
		"[" + strings.Repeat(one+",", 10): {Refused, 3, "more than the 3 messages"},
		// The same page whatever was asked for.
		"[" + one + "," + element(2) + "]": {Refused, 4, "begins before that"},
	} {
		o := answering(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
		o.PageFrames = 3
		e, n := unread(patient(t), t, o)
		if e.Class != want.class || !strings.Contains(e.Error(), want.says) || n > want.frames {
			t.Errorf("%.60q: %v, %s, %d frames, want %+v", text, e, e.Class, n, want)
		}
	}
}

// What cannot be read is reported and passed over, wherever in a page it stands.
func TestTheHistoryGoesOnBehindWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	all := []string{element(1), element(2)}
	for range 5 {
		all = append(all, `{"id":"2-1","message":{"type":"uplink","params":"`+strings.Repeat("x", 9000)+`"}}`, `{"no":"id"}`, `{"id":"2-2","message":{"meta":1}}`)
	}
	all = append(all, element(3), `{"message":{"type":"uplink"},"id":4}`)
	o := answering(t, func(w http.ResponseWriter, r *http.Request) {
		rest := all
		for i, e := range all {
			if id, _, err := splitElement([]byte(e)); err == nil && id == r.URL.Query().Get("from_id") {
				rest = all[i:]
				break
			}
		}
		limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
		if err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, "[\n"+strings.Join(rest[:min(limit, len(rest))], " , ")+"\n]\n")
	})
	reasons := map[DiscardReason]bool{}
	o.PageFrames, o.MaxFrameBytes, o.Discarded = 2, 500, func(d Discard) { reasons[d.Reason] = true }
	got := 0
	err := ReadHistory(patient(t), o, time.Unix(1, 0), time.Unix(2, 0), func(f []Frame) error { got += len(f); return nil })
	if err != nil || got != 4 || !reasons[DiscardOversize] || !reasons[DiscardNotJSON] || !reasons[DiscardNoType] {
		t.Errorf("%d frames, %v, discarded for %v", got, err, reasons)
	}
	all = slicesRepeat(`{"no":"id"}`, 3)
	if e, _ := unread(patient(t), t, o); !strings.Contains(e.Error(), "none of 3 messages has an id") {
		t.Errorf("%v", e)
	}
}

func slicesRepeat(s string, n int) (out []string) {
	for range n {
		out = append(out, s)
	}
	return out
}

func TestASilentHistoryIsLeftInTime(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]string{
		"no answer": "", "half an answer": "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[" + element(1),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := HistoryOptions{URL: "http://h/history", AccessToken: secret.New(testToken), Dial: func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					t.Cleanup(func() { _ = theirs.Close() })
					go func() {
						in := bufio.NewReader(theirs)
						if _, err := http.ReadRequest(in); err != nil {
							return
						}
						_, _ = io.WriteString(theirs, begin)
						_, _ = io.Copy(io.Discard, in)
					}()
					return ours, nil
				}}
				start := time.Now()
				e, _ := unread(t.Context(), t, o)
				if took := time.Since(start); took != DefaultHistorySilence || !errors.Is(e, os.ErrDeadlineExceeded) || e.Class != Retryable {
					t.Errorf("%v after %s", e, took)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		e, _ := unread(t.Context(), t, HistoryOptions{URL: "http://h/history", Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		if took := time.Since(start); took != DefaultConnectTimeout || e.Stage != StageTCP || !strings.Contains(e.Mend, "firewall") {
			t.Errorf("%v after %s", e, took)
		}
	})
}

func TestTheHistorysServerIsVerified(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "[]") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	good := HistoryOptions{URL: "https://127.0.0.1:" + port + "/", TLS: &tls.Config{RootCAs: roots}}
	if got := readHistory(t, good, time.Unix(1, 0), time.Unix(2, 0)); len(got) > 0 {
		t.Errorf("read %q", got)
	}
	for name, o := range map[string]HistoryOptions{
		"name in source.history_url": {URL: "https://localhost:" + port, TLS: &tls.Config{RootCAs: roots, InsecureSkipVerify: true}}, //nolint:gosec // must not be obeyed
		"authority":                  {URL: "https://127.0.0.1:" + port},
	} {
		if e, _ := unread(patient(t), t, o); e.Stage != StageTLS || e.Class != Refused || !strings.Contains(e.Mend, name) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	for u, want := range map[string]string{
		"ws://h": "want http or https", "http://": "names no host", "http://u:p@h": "user info", "http://%zz": "not a URL", "http://127.0.0.1:1": "refused",
	} {
		if e, _ := unread(patient(t), t, HistoryOptions{URL: u}); !strings.Contains(e.Error(), want) {
			t.Errorf("%s: %v", u, e)
		}
	}
}
