package part

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/lorry-mqtt/lorry/bench/process"
)

// echo serves one byte to each connection that the gate admits, until the gate is closed.
func echo(t *testing.T) *gate {
	t.Helper()
	address, err := process.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGate(address)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		for {
			conn, err := g.Accept()
			if err != nil {
				ended <- err
				return
			}
			_, _ = conn.Write([]byte{1}) // who hung up is not this test's matter
		}
	}()
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("accepting ended with %v", err)
		}
	})
	return g
}

func TestGate(t *testing.T) {
	g := echo(t)
	dial := func() (net.Conn, error) { return net.Dial("tcp", g.Addr().String()) }
	greeted := func() net.Conn {
		t.Helper()
		conn, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if n, err := conn.Read(make([]byte, 2)); n != 1 {
			t.Fatalf("read %d bytes: %v", n, err)
		}
		return conn
	}
	for range 3 {
		conn := greeted()
		g.Away()
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("read %d bytes after the gate went away", n)
		}
		if _, err := dial(); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial while it is away: %v", err)
		}
		if err := g.Back(); err != nil {
			t.Fatal(err)
		}
	}
	greeted()
	g.Away() // and it is closed while away
}
