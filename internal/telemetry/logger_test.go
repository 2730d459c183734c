package telemetry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

func TestJSONEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // time is 2000-01-01 UTC in here
		var b bytes.Buffer
		l, err := telemetry.NewLogger(&b, "info", "json")
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(1234567 * time.Microsecond)
		l.Debug().Msg("hidden")
		named := l.With().Str("node", "n1").Logger()
		named.Info().Str("connection", "acme").Interface("token", secret.New("hunter2")).Msg("connected")
		const want = `{"level":"info","node":"n1","connection":"acme","token":"***","time":"2000-01-01T00:00:01.234Z","message":"connected"}` + "\n"
		if b.String() != want {
			t.Errorf("got  %swant %s", &b, want)
		}
	})
}

func TestTimesAreUTC(t *testing.T) {
	var b bytes.Buffer
	l, err := telemetry.NewLogger(&b, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	l.Info().Msg("m")
	var entry struct{ Time string }
	if err := json.Unmarshal(b.Bytes(), &entry); err != nil {
		t.Fatal(err)
	}
	parsed, err := time.Parse(time.RFC3339, entry.Time)
	if err != nil || !strings.HasSuffix(entry.Time, "Z") || len(entry.Time) != len("2000-01-01T00:00:01.234Z") {
		t.Errorf("time %q, parsed %v, %v", entry.Time, parsed, err)
	}
}

func TestConsoleEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		l, err := telemetry.NewLogger(&b, "warn", "console")
		if err != nil {
			t.Fatal(err)
		}
		l.Info().Msg("hidden")
		l.Warn().Str("connection", "acme").Msg("dropped")
		const want = "2000-01-01T00:00:00.000Z WRN dropped connection=acme\n"
		if b.String() != want {
			t.Errorf("got %q, want %q", b.String(), want)
		}
	})
}

func TestNoColourInFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	l, err := telemetry.NewLogger(f, "info", "console")
	if err != nil {
		t.Fatal(err)
	}
	l.Error().Msg("m")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil || bytes.ContainsRune(text, '\x1b') || !bytes.Contains(text, []byte("ERR m")) {
		t.Errorf("%q, %v", text, err)
	}
}

func TestSlogWritesThroughTheLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		l, err := telemetry.NewLogger(&b, "info", "json")
		if err != nil {
			t.Fatal(err)
		}
		s := telemetry.NewSlog(l.With().Str("node", "n1").Logger())
		s.Debug("hidden")
		s.With("actor", "publisher").Error("failed", "n", 1, "token", secret.New("hunter2"))
		s.WithGroup("g").Info("grouped", "n", 2)
		s.Log(t.Context(), slog.LevelWarn, "odd")
		const want = `{"level":"error","node":"n1","actor":"publisher","n":1,"token":"***","time":"2000-01-01T00:00:00.000Z","message":"failed"}` + "\n" +
			`{"level":"info","node":"n1","g.n":2,"time":"2000-01-01T00:00:00.000Z","message":"grouped"}` + "\n" +
			`{"level":"warn","node":"n1","time":"2000-01-01T00:00:00.000Z","message":"odd"}` + "\n"
		if b.String() != want {
			t.Errorf("got\n%swant\n%s", &b, want)
		}
	})
}

func TestUnknownLevelsAndFormats(t *testing.T) {
	for _, level := range []string{"trace", "debug", "info", "warn", "error"} {
		if got, err := telemetry.ParseLevel(level); err != nil || got.String() != level {
			t.Errorf("ParseLevel(%q) = %v, %v", level, got, err)
		}
	}
	for _, level := range []string{"", "INFO", "fatal", "panic", "disabled", "1", "verbose"} {
		if _, err := telemetry.NewLogger(&bytes.Buffer{}, level, "json"); err == nil || !strings.Contains(err.Error(), "trace, debug, info, warn or error") {
			t.Errorf("level %q: %v", level, err)
		}
	}
	for _, format := range []string{"", "JSON", "text"} {
		if _, err := telemetry.NewLogger(&bytes.Buffer{}, "info", format); err == nil || !strings.Contains(err.Error(), "json or console") {
			t.Errorf("format %q: %v", format, err)
		}
	}
}
