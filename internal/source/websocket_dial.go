package source

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"

	"github.com/gorilla/websocket"
)

const (
	readBufferBytes  = 4 << 10  // sixteen times as much reads 7 % more frames/s (BenchmarkSession), once for each connection
	writeBufferBytes = 16 << 10 // longer messages are fragmented; a downlink has some 500 bytes
)

// DialWebSocket opens a stream of the Data API. It returns within ConnectTimeout or when ctx ends; ctx has no part in
// the session's life after that. Its errors are [*DialError].
func DialWebSocket(ctx context.Context, o WebSocketOptions) (Session, error) {
	o = o.withDefaults()
	endpoint, err := o.endpoint()
	if err != nil {
		return nil, &DialError{Stage: StageOptions, Class: Refused, URL: "…", Err: err}
	}
	bounded, cancel := context.WithTimeoutCause(ctx, o.ConnectTimeout,
		fmt.Errorf("no answer within %s: %w", o.ConnectTimeout, context.DeadlineExceeded))
	defer cancel()
	d := &dial{options: o, endpoint: endpoint, stage: StageTCP}
	conn, response, err := d.connect(bounded)
	if err != nil {
		return nil, d.explain(bounded, response, err)
	}
	o.Reached(StageWebSocket)
	d.link.stream(&o)
	return newWebSocket(o, conn, d.link), nil
}

// dial is one attempt to open a session.
type dial struct {
	options  WebSocketOptions
	endpoint *url.URL
	stage    Stage
	link     *link
	release  func() bool // takes the connection out of the context's hands
}

func (d *dial) connect(ctx context.Context) (*websocket.Conn, *http.Response, error) {
	dialer := websocket.Dialer{
		NetDialContext:    d.dialTCP,
		NetDialTLSContext: d.dialTLS,
		ReadBufferSize:    readBufferBytes,
		WriteBufferSize:   writeBufferBytes,
		WriteBufferPool:   new(sync.Pool), // a session that writes nothing holds no buffer for it
	}
	request := d.options.request(d.endpoint)
	conn, response, err := dialer.DialContext(ctx, request.String(), nil)
	if d.link != nil && !d.release() && err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = unasked(response.Header)
	}
	if err != nil && d.link != nil {
		_ = d.link.Close()
	}
	return conn, response, err
}

// unasked refuses what the server may not choose for us (RFC 6455 §4.1): a compressed stream could not be read.
func unasked(h http.Header) error {
	for _, name := range []string{"Sec-Websocket-Extensions", "Sec-Websocket-Protocol"} {
		if v := h.Get(name); v != "" {
			return fmt.Errorf("the server answered with %s %q, which was not asked for", name, v)
		}
	}
	return nil
}

func (d *dial) dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.options.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.link = &link{Conn: conn, budget: maxHandshakeBytes}
	// The library observes the context's deadline, but not its cancellation.
	d.release = context.AfterFunc(ctx, func() { _ = conn.Close() })
	d.options.Reached(StageTCP)
	d.stage = StageWebSocket
	return d.link, nil
}

func (d *dial) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	plain, err := d.dialTCP(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.stage = StageTLS
	conn := tls.Client(plain, d.tlsConfig())
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = plain.Close()
		return nil, err
	}
	d.options.Reached(StageTLS)
	d.stage = StageWebSocket
	return conn, nil
}

func (d *dial) tlsConfig() *tls.Config {
	c := new(tls.Config)
	if d.options.TLS != nil {
		c = d.options.TLS.Clone()
	}
	c.InsecureSkipVerify = false
	if c.ServerName == "" {
		c.ServerName = d.endpoint.Hostname()
	}
	return c
}
