package natsconn_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/natsconn"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

func embedded(dir string, change func(*natsconn.Embedded)) natsconn.Config {
	e := natsconn.Embedded{Dir: dir, SyncInterval: time.Minute}
	if change != nil {
		change(&e)
	}
	return natsconn.Config{Name: "test", Embedded: e}
}

func open(t *testing.T, cfg natsconn.Config) *natsconn.Conn {
	t.Helper()
	c, err := natsconn.Open(t.Context(), cfg, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func closeConn(t *testing.T, c *natsconn.Conn) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// keep stores a message, or finds the one that was stored before.
func keep(t *testing.T, c *natsconn.Conn, store bool) {
	t.Helper()
	s, err := c.JetStream.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "KEPT", Subjects: []string{"kept"}})
	if err != nil {
		t.Fatal(err)
	}
	if store {
		if _, err := c.JetStream.Publish(t.Context(), "kept", []byte("a frame")); err != nil {
			t.Fatal(err)
		}
	}
	if msg, err := s.GetLastMsgForSubject(t.Context(), "kept"); err != nil || string(msg.Data) != "a frame" {
		t.Fatalf("kept %v, %v", msg, err)
	}
}

func TestTheStoreSurvivesAStop(t *testing.T) {
	for name, key := range map[string]string{"plain": "", "encrypted": "0123456789abcdef"} {
		t.Run(name, func(t *testing.T) {
			cfg := embedded(t.TempDir(), func(e *natsconn.Embedded) { e.EncryptionKey = secret.New(key) })
			c := open(t, cfg)
			keep(t, c, true)
			closeConn(t, c)
			c = open(t, cfg)
			keep(t, c, false)
			closeConn(t, c)
		})
	}
}

func TestADirectoryServesOneProcess(t *testing.T) {
	cfg := embedded(t.TempDir(), nil)
	c := open(t, cfg)
	_, err := natsconn.Open(t.Context(), cfg, zerolog.Nop())
	if err == nil || !strings.Contains(err.Error(), "in use by another lorry") {
		t.Errorf("error %v", err)
	}
	keep(t, c, true)
	closeConn(t, c)
	closeConn(t, open(t, cfg))
}

func TestAWrongKeyIsAnErrorThatDestroysNothing(t *testing.T) {
	dir := t.TempDir()
	with := func(key string) natsconn.Config {
		return embedded(dir, func(e *natsconn.Embedded) { e.EncryptionKey = secret.New(key) })
	}
	c := open(t, with("0123456789abcdef"))
	keep(t, c, true)
	closeConn(t, c)
	for _, key := range []string{"another-key-than-before", ""} {
		wrong, err := natsconn.Open(t.Context(), with(key), zerolog.Nop())
		if err == nil {
			closeConn(t, wrong)
			t.Errorf("opened with the key %q", key)
		} else if !strings.Contains(err.Error(), "encryption_key") {
			t.Errorf("error %v", err)
		}
	}
	c = open(t, with("0123456789abcdef"))
	keep(t, c, false)
	closeConn(t, c)
}

func TestWhatCannotBeOpenedIsNamed(t *testing.T) {
	for field, cfg := range map[string]natsconn.Config{
		"nats.embedded.listen": embedded(t.TempDir(), func(e *natsconn.Embedded) { e.Listen = "127.0.0.1" }),
		"nats.embedded.dir":    embedded("/dev/null/nowhere", nil),
		"nats.url":             {Name: "test", URL: "nats://127.0.0.1:1"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		c, err := natsconn.Open(ctx, cfg, zerolog.Nop())
		cancel()
		if err == nil {
			closeConn(t, c)
		}
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: error %v", field, err)
		}
	}
}

func TestAnotherServerIsReachedByItsURL(t *testing.T) {
	server := open(t, embedded(t.TempDir(), func(e *natsconn.Embedded) { e.Listen = "127.0.0.1:-1" }))
	defer closeConn(t, server)
	client := open(t, natsconn.Config{Name: "client", URL: server.Server().ClientURL()})
	defer closeConn(t, client)
	keep(t, client, true)
	keep(t, server, false)
	if client.Server() != nil {
		t.Error("a client has no server of its own")
	}
}
