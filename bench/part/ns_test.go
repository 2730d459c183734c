package part

import (
	"context"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/lorry-mqtt/lorry/bench/process"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// within is how long a test waits for what must come.
const within = 30 * time.Second

// serveNS runs a Network Server until the test is over, and returns its address.
func serveNS(t *testing.T, n NS) string {
	t.Helper()
	address, err := process.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	n.Listen = address
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	awaitListening(t, address)
	return address
}

func awaitListening(t *testing.T, address string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(within); ; <-tick.C {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestHeldNS has one client come before the flood is let go and one after it.
func TestHeldNS(t *testing.T) {
	flood := Flood{Frames: 500, Size: 200, Epoch: 1_700_000_000}
	address := serveNS(t, NS{Held: true, Flood: flood})
	dial := func() *websocket.Conn {
		u := url.URL{Scheme: "ws", Host: address, Path: simulator.DataPath, RawQuery: "access_token=t"}
		conn, resp, err := websocket.DefaultDialer.Dial(u.String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	before := dial()
	if err := before.WriteControl(websocket.PingMessage, []byte("?"), time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	before.SetPongHandler(func(string) error { // nothing came before it, and now the rest may
		return syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	})
	for i, conn := range []*websocket.Conn{before, dial()} {
		for n := uint64(1); n <= flood.Frames; n++ {
			_, frame, err := conn.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := simulator.FloodNumber(frame); err != nil || got != n {
				t.Fatalf("client %d got frame %d in place of %d: %v", i, got, n, err)
			}
		}
	}
}
