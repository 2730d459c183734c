package part

import (
	"fmt"
	"net"
	"sync"
)

// gate is a listener that can be away for a while: then nothing listens at its address, as if its program were gone,
// and all its connections are cut.
type gate struct {
	address string

	mu     sync.Mutex
	moved  sync.Cond    // of what follows
	inner  net.Listener // nil while away
	open   map[net.Conn]struct{}
	closed bool
}

func newGate(address string) (*gate, error) {
	g := &gate{address: address, open: map[net.Conn]struct{}{}}
	g.moved.L = &g.mu
	return g, g.Back()
}

// Away stops listening and cuts all connections.
func (g *gate) Away() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inner != nil {
		_ = g.inner.Close()
		g.inner = nil
	}
	for conn := range g.open {
		_ = conn.Close()
	}
	clear(g.open)
}

// Back listens again.
func (g *gate) Back() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inner != nil {
		return nil
	}
	inner, err := net.Listen("tcp", g.address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", g.address, err)
	}
	g.inner = inner
	g.moved.Broadcast()
	return nil
}

// Accept implements net.Listener. While the gate is away it waits.
func (g *gate) Accept() (net.Conn, error) {
	for {
		g.mu.Lock()
		for g.inner == nil && !g.closed {
			g.moved.Wait()
		}
		inner, closed := g.inner, g.closed
		g.mu.Unlock()
		if closed {
			return nil, net.ErrClosed
		}
		conn, err := inner.Accept()
		if err != nil {
			if g.present(inner) {
				return nil, err
			}
			continue
		}
		if g.admit(inner, conn) {
			return conn, nil
		}
	}
}

func (g *gate) present(inner net.Listener) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inner == inner
}

// admit takes a connection in, unless the gate has gone away since it was accepted.
func (g *gate) admit(inner net.Listener, conn net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inner != inner {
		_ = conn.Close()
		return false
	}
	g.open[conn] = struct{}{}
	return true
}

// Close implements net.Listener.
func (g *gate) Close() error {
	g.Away()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.moved.Broadcast()
	return nil
}

// Addr implements net.Listener.
func (g *gate) Addr() net.Addr {
	a, err := net.ResolveTCPAddr("tcp", g.address)
	if err != nil {
		return &net.TCPAddr{}
	}
	return a
}
