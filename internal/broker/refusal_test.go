package broker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// dialTo connects to the address, whatever the URI says.
func dialTo(address string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}

func TestConnackCodes(t *testing.T) {
	for code, want := range map[byte]struct {
		text  string
		class broker.Class
	}{
		1: {"CONNACK 1, unacceptable protocol version", broker.Refused},
		2: {"CONNACK 2, client ID rejected: choose another mqtt.client_id", broker.Refused},
		3: {"CONNACK 3, server unavailable", broker.Retryable},
		4: {"CONNACK 4, bad user or password: check user and password", broker.Refused},
		5: {"CONNACK 5, not authorized: check user and password in uri, URL-encoded, or the broker's ACL", broker.Refused},
		6: {"CONNACK 6", broker.Retryable}, 0x80: {"CONNACK 128", broker.Retryable}, 0xff: {"CONNACK 255", broker.Retryable},
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			failed := refused(t, scripted(t, func(s *script) {
				s.next()
				s.send(0x20, 2, 0, code)
				if again := s.next(); again != nil {
					t.Errorf("after the refusal came a %T", again)
				}
			}), broker.StageConnack, want.class)
			var connack *broker.ConnackError
			if !errors.As(failed, &connack) || connack.Code != code || !strings.Contains(failed.Error(), want.text) {
				t.Errorf("%v, want code %d and %q", failed, code, want.text)
			}
		})
	}
}

func TestCredentialsRefused(t *testing.T) {
	b := testkit.StartBroker(t, testkit.WithSchemes(schemes...), testkit.WithUser("u", "right"))
	for i, scheme := range schemes {
		o := withTLS(t, options(t, scheme+"://u:wr0ng@"+b.Address(scheme)), b.CA())
		failed := refused(t, o, broker.StageConnack, broker.Refused)
		if strings.Contains(failed.Error(), "wr0ng") || !strings.Contains(failed.Error(), "check user and password") {
			t.Errorf("%v", failed)
		}
		if b.Connects() != i+1 {
			t.Errorf("%d CONNECT packets for %d attempts", b.Connects(), i+1)
		}
	}
}

func TestNoAnswerToConnect(t *testing.T) {
	for name, play := range map[string]func(*script){
		"closes at once":          func(*script) {},
		"closes after CONNECT":    func(s *script) { s.next() },
		"closes within CONNACK":   func(s *script) { s.next(); s.send(0x20) },
		"sends something else":    func(s *script) { s.next(); s.send(0xd0, 0); s.drain() },
		"sends a PUBLISH first":   func(s *script) { s.next(); s.send(0x30, 3, 0, 1, 't'); s.drain() },
		"sends HTTP":              func(s *script) { s.next(); s.send([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")...); s.drain() },
		"sends a long CONNACK":    func(s *script) { s.next(); s.send(0x20, 3, 0, 0, 0); s.drain() },
		"sends an endless length": func(s *script) { s.next(); s.send(0x30, 0xff, 0xff, 0xff, 0xff, 0x7f); s.drain() },
	} {
		t.Run(name, func(t *testing.T) { refused(t, scripted(t, play), broker.StageConnack, broker.Retryable) })
	}
}

// A broker that accepts and says nothing is left as soon as the context ends, at whatever stage.
func TestBlackHole(t *testing.T) {
	listener := listen(t)
	accepted := make(chan struct{})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if _, err := conn.Read(make([]byte, 1)); err == nil { // the client is past dialing
				accepted <- struct{}{}
			}
			_, _ = io.Copy(io.Discard, conn) // until it goes
			_ = conn.Close()
		}
	}()
	stages := map[string]broker.Stage{
		"mqtt": broker.StageConnack, "mqtts": broker.StageTLS, "ws": broker.StageWebSocket, "wss": broker.StageTLS,
	}
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			why := errors.New("the owner has changed its mind")
			go func() {
				<-accepted
				cancel(why)
			}()
			o := options(t, scheme+"://"+listener.Addr().String())
			o.ConnectTimeout = time.Hour
			if failed := refusedWithin(t, ctx, o, stages[scheme], broker.Retryable); !errors.Is(failed, why) {
				t.Errorf("%v, want %v", failed, why)
			}
		})
	}
}

func TestUpgradeRefused(t *testing.T) {
	for status, want := range map[int]struct {
		class broker.Class
		mend  string
	}{
		200: {broker.Retryable, ""}, 302: {broker.Refused, "another address"}, 401: {broker.Refused, "websocket.headers"},
		403: {broker.Refused, "websocket.headers"}, 404: {broker.Refused, "check the path"}, 418: {broker.Refused, ""},
		408: {broker.Retryable, ""}, 429: {broker.Retryable, ""}, 500: {broker.Retryable, ""}, 503: {broker.Retryable, ""},
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = fmt.Fprintf(w, "\n  no\a broker\there\r\n%s", strings.Repeat("x", 1<<20))
			}))
			defer server.Close()
			failed := refused(t, options(t, "ws://"+server.Listener.Addr().String()), broker.StageWebSocket, want.class)
			var upgrade *broker.UpgradeError
			if !errors.As(failed, &upgrade) || upgrade.Status != status || upgrade.Line != "no brokerhere" {
				t.Errorf("%#v", upgrade)
			}
			if !strings.Contains(failed.Error(), fmt.Sprintf("HTTP %d", status)) || !strings.Contains(failed.Error(), want.mend) {
				t.Errorf("%v, want status and %q", failed, want.mend)
			}
		})
	}
}

func TestUpgradeRequest(t *testing.T) {
	requests := make(chan *http.Request, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r
		http.NotFound(w, r)
	}))
	defer server.Close()
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // must not matter
	t.Setenv("ALL_PROXY", "http://127.0.0.1:1")
	o := options(t, "ws://user:s3cret@broker.example/some%20where")
	o.Dial = dialTo(server.Listener.Addr().String())
	o.Header = http.Header{"X-Tenant": {"acme"}}
	refused(t, o, broker.StageWebSocket, broker.Refused)
	r := <-requests
	if r.RequestURI != "/some%20where" || r.Host != "broker.example" || r.Header.Get("X-Tenant") != "acme" ||
		r.Header.Get("Sec-Websocket-Protocol") != "mqtt" || r.Header.Get("Authorization") != "" {
		t.Errorf("%s for %s with %v", r.RequestURI, r.Host, r.Header)
	}
}

func TestStrangeWebSockets(t *testing.T) {
	for name, c := range map[string]struct {
		protocols []string
		kind      int
		stage     broker.Stage
		want      string
	}{
		"another subprotocol": {[]string{"mqttv3.1"}, websocket.BinaryMessage, broker.StageWebSocket, "subprotocol"},
		"text messages":       {[]string{"mqtt"}, websocket.TextMessage, broker.StageConnack, "not binary"},
		"no subprotocol":      {nil, websocket.TextMessage, broker.StageConnack, "not binary"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				header := http.Header{}
				if c.protocols != nil {
					header["Sec-Websocket-Protocol"] = c.protocols // whatever the client offers
				}
				conn, err := (&websocket.Upgrader{}).Upgrade(w, r, header)
				if err != nil {
					return
				}
				defer conn.Close()
				if _, _, err := conn.ReadMessage(); err == nil {
					_ = conn.WriteMessage(c.kind, []byte{0x20, 2, 0, 0})
					_, _, _ = conn.ReadMessage()
				}
			}))
			defer server.Close()
			failed := refused(t, options(t, "ws://"+server.Listener.Addr().String()), c.stage, broker.Retryable)
			if !strings.Contains(failed.Error(), c.want) {
				t.Errorf("%v, want %q", failed, c.want)
			}
		})
	}
}

func TestEndlessHeaders(t *testing.T) {
	listener := listen(t)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n")
		for err == nil { // until the client has had enough
			_, err = io.WriteString(conn, "X-Filler: "+strings.Repeat("x", 1000)+"\r\n")
		}
	}()
	failed := refused(t, options(t, "ws://"+listener.Addr().String()), broker.StageWebSocket, broker.Retryable)
	if !strings.Contains(failed.Error(), "more than 65536 bytes") {
		t.Errorf("%v", failed)
	}
}

func TestSubscribeRefused(t *testing.T) {
	b := testkit.StartBroker(t, testkit.WithACL(func(_, topic string, write bool) bool { return write || topic == "mine" }))
	s, own := connect(t, options(t, b.URI("mqtt")))
	err := s.Subscribe(t.Context(), "yours/#")
	var denied *broker.SubscribeError
	if !errors.As(err, &denied) || denied.Code != 0x80 || denied.Filter != "yours/#" || broker.Classify(err) != broker.Refused {
		t.Errorf("%v", err)
	}
	if !strings.Contains(err.Error(), "ACL") || !strings.Contains(err.Error(), "yours/#") {
		t.Errorf("%v", err)
	}
	if _, ok := s.Granted("yours/#"); ok {
		t.Error("granted all the same")
	}
	for _, filter := range []string{"", "a/#/b", strings.Repeat("f", 65536)} {
		if err := s.Subscribe(t.Context(), filter); !errors.Is(err, broker.ErrInvalidOptions) || broker.Classify(err) != broker.Refused {
			t.Errorf("%.20q: %v", filter, err)
		}
	}
	if err := s.Subscribe(t.Context(), "mine"); err != nil { // the session is as it was
		t.Error(err)
	}
	publish(t, s, uplinks(1, 1)...)
	own.awaitAcknowledged(1)
}

func TestGrantedQoS0(t *testing.T) {
	b := testkit.StartBroker(t, testkit.WithMaximumQoS(0))
	s, own := connect(t, options(t, b.URI("mqtt")))
	if err := s.Subscribe(t.Context(), "$share/group/down/+"); err != nil {
		t.Fatal(err)
	}
	if qos, ok := s.Granted("$share/group/down/+"); qos != 0 || !ok {
		t.Errorf("granted QoS %d, %t", qos, ok)
	}
	b.Send("down/1", []byte("x"), 1)
	own.awaitArrived(1)
}

func TestInvalidOptions(t *testing.T) {
	for name, change := range map[string]func(*broker.Options){
		"no URI":              func(o *broker.Options) { o.URI = broker.URI{} },
		"long client ID":      func(o *broker.Options) { o.ClientID = strings.Repeat("c", 65536) },
		"client ID with NUL":  func(o *broker.Options) { o.ClientID = "a\x00" },
		"client ID not UTF-8": func(o *broker.Options) { o.ClientID = "\xff" },
		"short keep alive":    func(o *broker.Options) { o.KeepAlive = time.Second - 1 },
		"long keep alive":     func(o *broker.Options) { o.KeepAlive = 65536 * time.Second },
		"negative timeout":    func(o *broker.Options) { o.AckTimeout = -1 },
		"reserved header":     func(o *broker.Options) { o.Header = http.Header{"sec-websocket-protocol": {"x"}} },
		"another upgrade":     func(o *broker.Options) { o.Header = http.Header{"Upgrade": {"h2c"}} },
	} {
		t.Run(name, func(t *testing.T) {
			o := scripted(t, func(*script) { t.Error("dialed") })
			change(&o)
			if failed := refused(t, o, broker.StageOptions, broker.Refused); !errors.Is(failed, broker.ErrInvalidOptions) {
				t.Errorf("%v", failed)
			}
		})
	}
}
