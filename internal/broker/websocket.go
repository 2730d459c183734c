package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/gorilla/websocket"
)

// subprotocol is the WebSocket subprotocol of MQTT (MQTT 3.1.1 §6).
const subprotocol = "mqtt"

// maxFrame is how many bytes go into one WebSocket frame and so into one system call; a longer message is sent in
// several (RFC 6455 §5.4).
const maxFrame = 16 << 10

// frames holds the buffers in which frames are masked, while no session is sending one.
var frames = &sync.Pool{}

// maxUpgrade is how many bytes a server may answer to the opening request.
const maxUpgrade = 64 << 10

// upgrade makes a WebSocket of the connection (RFC 6455 §4.1). A server that picks no subprotocol is put up with,
// although MQTT 3.1.1 §6 wants "mqtt"; one that picks another is not.
func upgrade(ctx context.Context, o Options, conn net.Conn) (net.Conn, error) {
	answer := &limitedConn{Conn: conn, left: maxUpgrade}
	opened := func(context.Context, string, string) (net.Conn, error) { return answer, nil }
	dialer := websocket.Dialer{ // without Proxy: the environment does not decide where a connection goes
		NetDialContext:    opened,
		NetDialTLSContext: opened,
		Subprotocols:      []string{subprotocol},
		ReadBufferSize:    1024,
		WriteBufferSize:   maxFrame,
		WriteBufferPool:   frames,
	}
	path, err := url.PathUnescape(o.URI.Path)
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	where := url.URL{Scheme: o.URI.Scheme, Host: o.URI.hostField(), Path: path, RawPath: o.URI.Path}
	messages, response, err := dialer.DialContext(ctx, where.String(), o.Header)
	if errors.Is(err, websocket.ErrBadHandshake) && response != nil {
		return nil, &UpgradeError{Status: response.StatusCode, Line: firstLine(response.Body)}
	}
	if err != nil {
		return nil, readError(err)
	}
	if chosen := messages.Subprotocol(); chosen != "" && chosen != subprotocol {
		return nil, violation(fmt.Sprintf("WebSocket subprotocol %.40q instead of %q", chosen, subprotocol))
	}
	answer.unlimited = true
	return &webSocketConn{Conn: conn, messages: messages}, nil
}

// firstLine is what a page begins with, as far as it can be shown in one line.
func firstLine(body io.Reader) string {
	text := make([]byte, 120)
	n, _ := io.ReadFull(body, text)
	line, _, _ := strings.Cut(strings.TrimSpace(strings.ToValidUTF8(string(text[:n]), "")), "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, line))
}

// webSocketConn carries a stream of bytes in the binary messages of a WebSocket. Where messages begin and end means
// nothing (MQTT 3.1.1 §6). It allows one reader and one writer at a time.
type webSocketConn struct {
	net.Conn
	messages *websocket.Conn
	current  io.Reader // the rest of the message being read, or nil
}

// Read reads from the current message or the next.
func (c *webSocketConn) Read(p []byte) (int, error) {
	for {
		if c.current == nil {
			kind, message, err := c.messages.NextReader()
			if err != nil {
				return 0, err
			}
			if kind != websocket.BinaryMessage {
				return 0, violation("a WebSocket message that is not binary (MQTT 3.1.1 §6)")
			}
			c.current = message
		}
		n, err := c.current.Read(p)
		if errors.Is(err, io.EOF) {
			c.current, err = nil, nil
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
}

// Write sends p as one message.
func (c *webSocketConn) Write(p []byte) (int, error) {
	if err := c.messages.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// SetWriteDeadline limits the messages written from now on. Only the writer may call it.
func (c *webSocketConn) SetWriteDeadline(t time.Time) error { return c.messages.SetWriteDeadline(t) }

// Close says goodbye (RFC 6455 §5.5.1) and closes the connection below without waiting for an answer. Only the writer
// may call it.
func (c *webSocketConn) Close() error {
	goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = c.messages.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(linger))
	return c.Conn.Close()
}

// limitedConn ends after left bytes have been read, until it is unlimited: http.ReadResponse reads header fields as
// long as there are any.
type limitedConn struct {
	net.Conn
	left      int
	unlimited bool
}

func (c *limitedConn) Read(p []byte) (int, error) {
	if c.unlimited {
		return c.Conn.Read(p)
	}
	if c.left <= 0 {
		return 0, violation(fmt.Sprintf("more than %d bytes in answer to a WebSocket's opening request", maxUpgrade))
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
