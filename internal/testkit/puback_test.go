package testkit

import (
	"bufio"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/faultywire"
)

// wireEnds are the two ends of one connection through a PubackProxy.
type wireEnds struct {
	t              *testing.T
	client, broker net.Conn
	read           map[net.Conn]*bufio.Reader
}

func throughPubackProxy(t *testing.T) (*PubackProxy, *wireEnds) {
	t.Helper()
	address, conns := server(t)
	p := NewPubackProxy(t, address)
	client, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	w := &wireEnds{t: t, client: client, broker: <-conns}
	w.read = map[net.Conn]*bufio.Reader{w.client: bufio.NewReader(w.client), w.broker: bufio.NewReader(w.broker)}
	for conn := range w.read {
		if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	w.send(w.broker, 0xd0, 0) // what arrives has a link: what is done to it from now on, is done to this one
	w.expect(w.client, []byte{0xd0, 0})
	return p, w
}

func (w *wireEnds) send(from net.Conn, raw ...byte) {
	w.t.Helper()
	if _, err := from.Write(raw); err != nil {
		w.t.Fatalf("send % x: %v", raw, err)
	}
}

func (w *wireEnds) expect(at net.Conn, packets ...[]byte) {
	w.t.Helper()
	for _, want := range packets {
		got, err := faultywire.ReadPacket(w.read[at])
		if err != nil || !slices.Equal(got.Raw, want) {
			w.t.Fatalf("got % x, %v, want % x", got.Raw, err, want)
		}
	}
}

func publishPacket(id byte) []byte { return []byte{0x32, 5, 0, 1, 't', 0, id} }
func pubackPacket(id byte) []byte  { return []byte{0x40, 2, 0, id} }

// publishAndAck sends publishes with the identifiers 1 to n through and has the broker acknowledge them.
func (w *wireEnds) publishAndAck(n byte) {
	w.t.Helper()
	for id := byte(1); id <= n; id++ {
		w.send(w.client, publishPacket(id)...)
		w.expect(w.broker, publishPacket(id))
	}
	for id := byte(1); id <= n; id++ {
		w.send(w.broker, pubackPacket(id)...)
	}
}

func TestPubackProxyPasses(t *testing.T) {
	p, w := throughPubackProxy(t)
	connect := []byte{0x10, 3, 'a', 'b', 'c'}
	w.send(w.client, connect...)
	w.expect(w.broker, connect)
	w.send(w.broker, 0x20, 2, 0, 0, 0xd0, 0)
	w.expect(w.client, []byte{0x20, 2, 0, 0}, []byte{0xd0, 0})
	w.publishAndAck(3)
	w.expect(w.client, pubackPacket(1), pubackPacket(2), pubackPacket(3))
	if p.Connects() != 1 || p.InFlight() != 0 || p.MaxInFlight() != 3 || p.Held() != 0 {
		t.Errorf("%d CONNECT, %d in flight, %d at most, %d held", p.Connects(), p.InFlight(), p.MaxInFlight(), p.Held())
	}
}

func TestPubackProxyWithholds(t *testing.T) {
	p, w := throughPubackProxy(t)
	p.Withhold()
	w.publishAndAck(5)
	w.send(w.broker, 0xd0, 0)
	w.expect(w.client, []byte{0xd0, 0}) // other packets go by
	p.AwaitHeld(5)
	if p.InFlight() != 5 {
		t.Errorf("%d in flight, want 5", p.InFlight())
	}
	if n := p.Release(2); n != 2 || p.Held() != 3 || p.InFlight() != 3 {
		t.Errorf("released %d, %d held, %d in flight", n, p.Held(), p.InFlight())
	}
	w.expect(w.client, pubackPacket(1), pubackPacket(2))
	p.Pass()
	w.send(w.client, publishPacket(6)...)
	w.send(w.broker, pubackPacket(6)...)
	w.expect(w.client, pubackPacket(6))
	if n := p.ReleaseReversed(); n != 3 {
		t.Errorf("released %d, want 3", n)
	}
	w.expect(w.client, pubackPacket(5), pubackPacket(4), pubackPacket(3))
}

func TestPubackProxyReverses(t *testing.T) {
	p, w := throughPubackProxy(t)
	p.Reverse(3)
	w.publishAndAck(7)
	w.expect(w.client, pubackPacket(3), pubackPacket(2), pubackPacket(1), pubackPacket(6), pubackPacket(5), pubackPacket(4))
	p.AwaitHeld(1)
	p.Release(1)
	w.expect(w.client, pubackPacket(7))
}

func TestPubackProxyDrops(t *testing.T) {
	p, w := throughPubackProxy(t)
	p.Drop()
	w.publishAndAck(4)
	p.AwaitDropped(4)
	p.Pass()
	w.send(w.broker, pubackPacket(9)...)
	w.expect(w.client, pubackPacket(9))
	if p.InFlight() != 4 || p.Dropped() != 4 {
		t.Errorf("%d in flight, %d dropped, want 4", p.InFlight(), p.Dropped())
	}
}

func TestPubackProxyDropsEverySecond(t *testing.T) {
	p, w := throughPubackProxy(t)
	p.DropEvery(2)
	w.publishAndAck(5)
	w.expect(w.client, pubackPacket(1), pubackPacket(3), pubackPacket(5))
	if p.Dropped() != 2 || p.InFlight() != 2 {
		t.Errorf("%d dropped, %d in flight", p.Dropped(), p.InFlight())
	}
}

func TestPubackProxyCuts(t *testing.T) {
	p, w := throughPubackProxy(t)
	w.publishAndAck(1)
	w.expect(w.client, pubackPacket(1))
	p.Cut()
	for name, conn := range map[string]net.Conn{"client": w.client, "broker": w.broker} {
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the %s sees %v, want a reset", name, err)
		}
	}
	if p.InFlight() != 0 {
		t.Errorf("%d in flight on no wire", p.InFlight())
	}
}

func TestPubackProxyStalls(t *testing.T) {
	p, w := throughPubackProxy(t)
	p.Stall(ToBroker)
	w.send(w.client, publishPacket(1)...)
	w.send(w.broker, 0xd0, 0) // the other way is open
	w.expect(w.client, []byte{0xd0, 0})
	if p.InFlight() != 0 {
		t.Error("a PUBLISH went through")
	}
	p.Resume(ToBroker)
	w.expect(w.broker, publishPacket(1))
	p.Stall(ToClient)
	p.Stall(ToClient) // once is enough
	w.send(w.broker, pubackPacket(1)...)
	w.send(w.client, publishPacket(2)...)
	w.expect(w.broker, publishPacket(2))
	if p.InFlight() != 2 {
		t.Errorf("%d in flight, want 2", p.InFlight())
	}
	p.Resume(ToClient)
	w.expect(w.client, pubackPacket(1))
}

func TestPubackProxyHalfCloses(t *testing.T) {
	p, w := throughPubackProxy(t)
	p.HalfClose(ToClient)
	if _, err := w.client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the client sees %v, want EOF", err)
	}
	w.send(w.broker, pubackPacket(1)...) // goes nowhere
	w.send(w.client, publishPacket(1)...)
	w.expect(w.broker, publishPacket(1))
	p.HalfClose(ToBroker)
	if _, err := w.broker.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the broker sees %v, want EOF", err)
	}
}

func TestPubackProxyWithoutBroker(t *testing.T) {
	reserved, err := faultywire.ReservePort() // where nothing listens
	if err != nil {
		t.Fatal(err)
	}
	defer reserved.Release()
	p := NewPubackProxy(t, reserved.Address())
	client, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Read(make([]byte, 1)); err == nil {
		t.Error("a client without a broker is served")
	}
}
