package testkit

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/faultywire"
)

// server accepts connections and hands them to the test.
func server(t *testing.T) (address string, conns <-chan *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan *net.TCPConn, 16)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn.(*net.TCPConn)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return l.Addr().String(), accepted
}

// through opens a connection over the wire and returns both ends.
func through(t *testing.T, w *Wire, conns <-chan *net.TCPConn) (client, server *net.TCPConn) {
	t.Helper()
	conn, err := net.Dial("tcp", w.Address())
	if err != nil {
		t.Fatal(err)
	}
	select {
	case server = <-conns:
	case <-time.After(Patience):
		t.Fatal("the connection does not arrive")
	}
	client = conn.(*net.TCPConn)
	for _, c := range []*net.TCPConn{client, server} {
		if err := c.SetDeadline(time.Now().Add(Patience)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	return client, server
}

func say(t *testing.T, to *net.TCPConn, text string) {
	t.Helper()
	if _, err := io.WriteString(to, text); err != nil {
		t.Errorf("write: %v", err)
	}
}

func hear(t *testing.T, from *net.TCPConn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(from, got); err != nil || string(got) != want {
		t.Errorf("heard %q, %v, want %q", got, err, want)
	}
}

// quiet asserts that nothing has arrived. Only for what a wire holds back: there is no waiting for nothing.
func quiet(t *testing.T, conn *net.TCPConn) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Read(func(fd uintptr) bool {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		if !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("something arrived: %d bytes, %v", n, err)
		}
		return true
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAWirePassesEverything(t *testing.T) {
	t.Parallel()
	address, conns := server(t)
	w := NewWire(t, address)
	client, server := through(t, w, conns)
	flood := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	var running sync.WaitGroup
	for _, c := range []*net.TCPConn{client, server} {
		running.Go(func() {
			if _, err := c.Write(flood); err != nil {
				t.Error(err)
			}
			_ = c.CloseWrite()
		})
		running.Go(func() {
			if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, flood) {
				t.Errorf("%d bytes arrived, %v", len(got), err)
			}
		})
	}
	running.Wait()
	w.AwaitOpen(0)
	for _, d := range []Direction{ToServer, ToClient} {
		if n := w.Bytes(d); n != int64(len(flood)) {
			t.Errorf("%d bytes counted in direction %d", n, d)
		}
	}
	if n := w.Accepted(); n != 1 {
		t.Errorf("%d connections counted", n)
	}
}

func TestAWireCutsWithReset(t *testing.T) {
	t.Parallel()
	address, conns := server(t)
	w := NewWire(t, address)
	for _, stalled := range []bool{false, true} {
		client, server := through(t, w, conns)
		w.AwaitOpen(1)
		if stalled {
			w.Stall(ToServer)
			w.Stall(ToClient)
		}
		w.Cut()
		for _, c := range []*net.TCPConn{client, server} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("stalled %t: read: %v, want a reset", stalled, err)
			}
		}
		w.AwaitOpen(0)
	}
	w.Resume(ToServer)
	w.Resume(ToClient)
	client, server := through(t, w, conns)
	say(t, client, "after the cut")
	hear(t, server, "after the cut")
	w.AwaitAccepted(3)
}

func TestAWirePassesAResetOn(t *testing.T) {
	t.Parallel()
	address, conns := server(t)
	client, server := through(t, NewWire(t, address), conns)
	_ = server.SetLinger(0) // Close then resets
	_ = server.Close()
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v, want a reset", err)
	}
}

func TestAWireClosesInGoodOrder(t *testing.T) {
	t.Parallel()
	address, conns := server(t)
	w := NewWire(t, address)
	client, server := through(t, w, conns)
	say(t, client, "last words")
	hear(t, server, "last words")
	w.CloseConnections()
	for _, c := range []*net.TCPConn{client, server} {
		if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("read %d bytes, %v, want EOF", n, err)
		}
		say(t, c, "lost")
		_ = c.Close()
	}
	w.AwaitOpen(0)
}

func TestAWireHalfCloses(t *testing.T) {
	t.Parallel()
	address, conns := server(t)
	w := NewWire(t, address)
	for _, direction := range []Direction{ToServer, ToClient} {
		client, server := through(t, w, conns)
		receiver, sender := server, client
		if direction == ToClient {
			receiver, sender = client, server
		}
		w.HalfClose(direction)
		if n, err := receiver.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("direction %d: read %d bytes, %v, want EOF", direction, n, err)
		}
		say(t, sender, "unheard")
		say(t, receiver, "the other way")
		hear(t, sender, "the other way")
		_ = receiver.Close()
		_ = sender.Close()
		w.AwaitOpen(0)
	}
}

func TestAWireRefuses(t *testing.T) {
	t.Parallel()
	address, conns := server(t)
	w := NewWire(t, address)
	client, server := through(t, w, conns)
	for range 50 {
		w.Refuse()
		w.Refuse()
		if conn, err := net.Dial("tcp", w.Address()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("dial: %v, %v, want a refusal", conn, err)
		}
		w.Admit()
		w.Admit()
		other, _ := through(t, w, conns)
		_ = other.Close()
	}
	say(t, client, "still here")
	hear(t, server, "still here")
}

func TestAWireToNowhereResets(t *testing.T) {
	t.Parallel()
	nowhere, err := faultywire.ReservePort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nowhere.Release)
	w := NewWire(t, nowhere.Address())
	conn, err := net.Dial("tcp", w.Address())
	if err == nil { // the reset may come before Dial has returned
		_, err = conn.Read(make([]byte, 1))
		_ = conn.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v, want a reset", err)
	}
}

// The end of a test ends its wires, whatever state they are in.
func TestAWireEndsWithItsTest(t *testing.T) {
	t.Parallel()
	address, conns := server(t)
	var ended *Wire
	t.Run("inner", func(t *testing.T) {
		ended = NewWire(t, address)
		client, server := through(t, ended, conns)
		ended.Stall(ToServer)
		ended.Limit(ToClient)
		say(t, client, "x")
		say(t, server, "y")
	})
	if n := ended.Open(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	if _, err := net.Dial("tcp", ended.Address()); err == nil {
		t.Error("it still accepts connections")
	}
}
