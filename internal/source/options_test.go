package source

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/secret"
)

func TestTheRequestAsksForTheStream(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*WebSocketOptions)
		query  string
	}{
		"the least": {
			func(o *WebSocketOptions) { o.Filter = "" },
			"access_token=t0ken%2B%2F%26%3Dsecret",
		},
		"a filter": {
			func(*WebSocketOptions) {},
			"access_token=t0ken%2B%2F%26%3Dsecret&filter=f1",
		},
		"everything": {
			func(o *WebSocketOptions) {
				o.Radio, o.Lora, o.Duplicate = true, true, true
				o.From = time.Unix(1700000000, 123456789)
			},
			"access_token=t0ken%2B%2F%26%3Dsecret&duplicate=1&filter=f1&from_unixtime=1700000000.123456&lora=1&radio=1",
		},
		"a query of the URL's own": {
			func(o *WebSocketOptions) { o.URL += "?tenant=a%26b&filter=other" },
			"access_token=t0ken%2B%2F%26%3Dsecret&filter=f1&tenant=a%26b",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests := make(chan *http.Request, 1)
			o := listen(t, upgrade(func(p *peer) { requests <- p.request }))
			c.change(&o)
			open(t, o)
			r := await(t, requests, "request")
			if r.URL.RawQuery != c.query {
				t.Errorf("query = %s\nwant    %s", r.URL.RawQuery, c.query)
			}
			if r.URL.Path != "/api/v1.0/data" || r.Method != http.MethodGet {
				t.Errorf("request is %s %s", r.Method, r.URL.Path)
			}
		})
	}
}

func TestFromIsInMicroseconds(t *testing.T) {
	t.Parallel()
	for want, at := range map[string]time.Time{
		"":                    {},
		"0.000000":            time.Unix(0, 0),
		"0.000001":            time.Unix(0, 1999),
		"1700000000.000000":   time.Unix(1700000000, 999),
		"1700000000.100000":   time.Unix(1700000000, 1e8),
		"1700000000.999999":   time.Unix(1700000000, 999999999),
		"32503680000.000001":  time.Unix(32503680000, 1000),
		"1700000000.050000":   time.Unix(1700000000, 5e7).In(time.FixedZone("east", 7200)),
		"253402300799.999999": time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	} {
		if got := unixTime(at); got != want {
			t.Errorf("unixTime(%v) = %s, want %s", at, got, want)
		}
	}
	if got := unixTime(time.Unix(-5, 5)); got != "0.000000" {
		t.Errorf("before the epoch: %s, want all there is", got)
	}
}

func TestBadURLsAreRefusedWithoutShowingThem(t *testing.T) {
	t.Parallel()
	for bad, want := range map[string]string{
		"":                                    `scheme ""`,
		"http://ns.example/hunter2":           `scheme "http"`,
		"wss://":                              "names no host",
		"wss://:443/hunter2":                  "names no host",
		"wss://user:hunter2@ns.example/":      "user info",
		"wss://ns.example/#hunter2":           "fragment",
		"wss://ns.example:port/hunter2":       "not a URL",
		"wss://ns.example/%zz?hunter2":        "not a URL",
		"wss://ns.example/\x00hunter2":        "not a URL",
		"ns.example/api?access_token=hunter2": `scheme ""`,
	} {
		_, err := DialWebSocket(t.Context(), WebSocketOptions{URL: bad})
		var dial *DialError
		if !errors.As(err, &dial) || dial.Stage != StageOptions || Classify(err) != Refused {
			t.Errorf("%q: %v, want a refused DialError", bad, err)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v, want it to say %s and nothing of the URL", bad, err, want)
		}
	}
}

func TestNothingShowsTheToken(t *testing.T) {
	t.Parallel()
	refuse := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			token := r.URL.Query().Get("access_token")
			w.Header().Set("Location", "/?"+r.URL.RawQuery)
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, "no %s, %s\n", token, url.QueryEscape(token))
		}
	}
	garbled := func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = fmt.Fprintf(conn, "%s?\r\n\r\n", r.URL.RawQuery)
		_ = conn.Close()
	}
	for name, handler := range map[string]http.HandlerFunc{
		"401": refuse(401), "302": refuse(302), "500": refuse(500), "not HTTP": garbled,
	} {
		o := listen(t, handler)
		_, err := DialWebSocket(t.Context(), o)
		if err == nil {
			t.Fatalf("%s: dialled", name)
		}
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err), fmt.Sprintf("%+v", o)} {
			if strings.Contains(text, testToken) || strings.Contains(text, url.QueryEscape(testToken)) {
				t.Errorf("%s: shows the token: %s", name, text)
			}
		}
		if !strings.Contains(err.Error(), "/api/v1.0/data") || !strings.Contains(err.Error(), secret.Mask) {
			t.Errorf("%s: %v, want URL without query and masked words of the server", name, err)
		}
	}
}
