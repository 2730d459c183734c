package simulator

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
)

// pipes is a listener whose connections are net.Pipes: no kernel, so that synctest sees when all is quiet.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.closed:
		return nil, errors.New("connection refused")
	}
}

// startPiped serves on pipes, for use within a synctest bubble; the clock is today's unless the configuration has one.
func startPiped(t *testing.T, cfg Config) (*NS, *pipes) {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = today
	}
	ns := newNS(t, cfg)
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	if err := ns.Serve(p); err != nil {
		t.Fatal(err)
	}
	return ns, p
}
