package testkit

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestAWireStalls(t *testing.T) {
	t.Parallel()
	address, conns := server(t)
	w := NewWire(t, address)
	client, server := through(t, w, conns)
	for _, c := range []struct {
		direction Direction
		from, to  *net.TCPConn
	}{{ToServer, client, server}, {ToClient, server, client}} {
		w.Stall(c.direction)
		say(t, c.from, "held back")
		say(t, c.to, "the other way") // and proof that time has passed
		hear(t, c.from, "the other way")
		quiet(t, c.to)
		w.Resume(c.direction)
		hear(t, c.to, "held back")
	}
}

// A sender must feel a stalled wire as it does a peer that reads no more: sooner or later it cannot write.
func TestAStalledWirePushesBack(t *testing.T) {
	t.Parallel()
	address, conns := server(t)
	w := NewWire(t, address)
	client, server := through(t, w, conns)
	w.Stall(ToServer)
	const total = 64 << 20 // more than any socket buffers hold
	var resumed atomic.Bool
	var running sync.WaitGroup
	running.Go(func() {
		if _, err := client.Write(make([]byte, total)); err != nil || !resumed.Load() {
			t.Errorf("%d bytes written, %v, before the wire was resumed: %t", total, err, !resumed.Load())
		}
		_ = client.CloseWrite()
	})
	other, far := through(t, w, conns) // new connections are accepted meanwhile
	say(t, far, "x")
	hear(t, other, "x")
	if n := w.Bytes(ToServer); n != 0 {
		t.Errorf("%d bytes went through", n)
	}
	resumed.Store(true)
	w.Resume(ToServer)
	if n, err := io.Copy(io.Discard, server); n != total || err != nil {
		t.Errorf("%d bytes arrived, %v", n, err)
	}
	running.Wait()
}

func TestAStalledWireHoldsTheEndBack(t *testing.T) {
	t.Parallel()
	address, conns := server(t)
	w := NewWire(t, address)
	client, server := through(t, w, conns)
	w.Stall(ToServer)
	_ = client.CloseWrite()
	say(t, server, "the other way")
	hear(t, client, "the other way")
	quiet(t, server)
	w.Resume(ToServer)
	if n, err := server.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("read %d bytes, %v, want EOF", n, err)
	}
}

func TestAWireLetsThroughWhatItIsAllowed(t *testing.T) {
	t.Parallel()
	address, conns := server(t)
	w := NewWire(t, address)
	client, server := through(t, w, conns)
	w.Limit(ToClient)
	text := strings.Repeat("drop by drop ", 100)
	say(t, server, text)
	passed := 0
	for _, n := range []int{1, 2, 500, 1, 10} {
		w.Release(ToClient, int64(n))
		hear(t, client, text[passed:passed+n])
		passed += n
		w.AwaitBytes(ToClient, int64(passed))
		say(t, client, "x")
		hear(t, server, "x")
		quiet(t, client)
	}
	w.Resume(ToClient)
	hear(t, client, text[passed:])
}
