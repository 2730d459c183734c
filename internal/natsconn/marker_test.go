package natsconn_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/natsconn"
)

// copyStore copies a store's directory as it is, in use or not.
func copyStore(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestAnUncleanEndIsNoticed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*natsconn.Embedded)
		want   time.Duration
	}{
		"an interval": {func(e *natsconn.Embedded) { e.SyncInterval = 7 * time.Second }, 7 * time.Second},
		"always":      {func(e *natsconn.Embedded) { e.SyncAlways = true }, 0},
		"by default":  {func(e *natsconn.Embedded) { e.SyncInterval = 0 }, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			conn := open(t, embedded(dir, c.change))
			if got := conn.Unsynced(); got != 0 {
				t.Errorf("a new store lacks %v", got)
			}
			keep(t, conn, true)
			as := copyStore(t, dir) // as it is when the process is killed
			closeConn(t, conn)
			conn = open(t, embedded(dir, c.change))
			if got := conn.Unsynced(); got != 0 {
				t.Errorf("after a clean end the store lacks %v", got)
			}
			closeConn(t, conn)

			conn = open(t, embedded(as, c.change))
			if got := conn.Unsynced(); got != c.want {
				t.Errorf("after an unclean end the store lacks %v, want %v", got, c.want)
			}
			keep(t, conn, false) // what was acknowledged was written before
			closeConn(t, conn)
			conn = open(t, embedded(as, c.change))
			if got := conn.Unsynced(); got != 0 {
				t.Errorf("after the clean end that followed the store lacks %v", got)
			}
			closeConn(t, conn)
			if _, err := os.Stat(filepath.Join(as, "running")); !os.IsNotExist(err) {
				t.Errorf("the marker: %v", err)
			}
		})
	}
}

func TestAnExternalSystemsEndIsNotSeen(t *testing.T) {
	server := open(t, embedded(t.TempDir(), func(e *natsconn.Embedded) { e.Listen = "127.0.0.1:-1" }))
	defer closeConn(t, server)
	client := open(t, natsconn.Config{Name: "client", URL: server.Server().ClientURL()})
	defer closeConn(t, client)
	if got := client.Unsynced(); got != 2*time.Minute {
		t.Errorf("%v", got)
	}
}
