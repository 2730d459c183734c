// Package client asks a node's management API, for the command line.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lorry-mqtt/lorry/internal/api"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

const (
	// Timeout bounds one request, but for a log that is followed: a test of a connection takes as long as its ends.
	timeout = 2 * time.Minute
	// maxAnswer is the largest answer in bytes.
	maxAnswer = 64 << 20
	// attempts is how often a request is sent that was one too many in its second.
	attempts = 10
)

// Client asks one server.
type Client struct {
	base  *url.URL
	token secret.String
	http  *http.Client
}

// New makes a client of the server at an http:// or https:// URL. The token may be empty. ca is PEM with the CAs to
// trust instead of the system's; nil for those.
func New(server string, token secret.String, ca []byte) (*Client, error) {
	base, err := url.Parse(server)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("server %q is no URL that begins with http:// or https://", server)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != nil {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(ca) {
			return nil, errors.New("the file of CAs holds no certificate in PEM")
		}
	}
	return &Client{base: base, token: token, http: &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: false},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a token goes nowhere else
		},
	}}, nil
}

// Close closes the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Request is one request.
type Request struct {
	Method string
	Path   string // below /api/v1
	Query  url.Values
	Type   string // of Body
	Body   []byte
	Header map[string]string
}

// Error is a refusal (RFC 9457).
type Error struct {
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Errors []struct {
		Location string `json:"location"`
		Message  string `json:"message"`
	} `json:"errors"`
}

// Error says what was refused, and on lines of their own every faulty field.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Detail)
	if e.Detail == "" {
		fmt.Fprintf(&b, "the server answered %d %s", e.Status, http.StatusText(e.Status))
	}
	for _, field := range e.Errors {
		fmt.Fprintf(&b, "\n%s: %s", strings.TrimPrefix(field.Location, "body."), field.Message)
	}
	return b.String()
}

// Do sends a request and decodes the answer into out, unless that is nil. A refusal is an *Error. A request that was
// one too many is sent again when the server allows.
func (c *Client) Do(ctx context.Context, r Request, out any) (http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		response, err := c.send(ctx, r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		_ = response.Body.Close() // it was read
		switch {
		case err != nil:
			return nil, fmt.Errorf("read the answer of %s: %w", c.base.Host, err)
		case response.StatusCode == http.StatusTooManyRequests && attempt < attempts:
			if err := pause(ctx, response.Header.Get("Retry-After")); err != nil {
				return nil, err
			}
			continue
		case response.StatusCode >= http.StatusMultipleChoices:
			return nil, refusal(response.StatusCode, body)
		case out != nil:
			if err := json.Unmarshal(body, out); err != nil {
				return nil, fmt.Errorf("the answer of %s is not lorry's: %w", c.base.Host, err)
			}
		}
		return response.Header, nil
	}
}

func (c *Client) send(ctx context.Context, r Request) (*http.Response, error) {
	target := *c.base
	target.Path = strings.TrimSuffix(target.Path, "/") + api.Prefix + r.Path
	target.RawQuery = r.Query.Encode()
	request, err := http.NewRequestWithContext(ctx, r.Method, target.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	if r.Type != "" {
		request.Header.Set("Content-Type", r.Type)
	}
	for name, value := range r.Header {
		request.Header.Set(name, value)
	}
	if !c.token.IsZero() {
		request.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the node at %s: %w (is it running there? name another with --server)", c.base.Host, unwrapped(err))
	}
	return response, nil
}

// unwrapped is an error without the method and URL that net/http puts before it.
func unwrapped(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

func refusal(status int, body []byte) error {
	e := &Error{}
	if err := json.Unmarshal(body, e); err != nil { // it is not lorry that answers, or a 401
		e = &Error{}
	}
	e.Status = status
	if status == http.StatusUnauthorized {
		e.Detail = "the server asks for a token that it knows: give it with --token or LORRY_TOKEN"
	}
	return e
}

func pause(ctx context.Context, retryAfter string) error {
	seconds, err := strconv.Atoi(retryAfter)
	if err != nil {
		seconds = 1
	}
	select {
	case <-time.After(time.Duration(min(max(seconds, 1), 30)) * time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
