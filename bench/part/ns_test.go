package part

import (
	"context"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// TestHeldNS has one client come before the flood is let go and one after it.
func TestHeldNS(t *testing.T) {
	flood := Flood{Frames: 500, Size: 200, Epoch: 1_700_000_000}
	address := running(t, func(listen string) func(context.Context) error {
		return NS{Listen: listen, Held: true, Flood: flood}.Run
	})
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
