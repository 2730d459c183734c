package demo

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// screen is the terminal of a demo. It calls seen when a text first appears, and keeps everything.
type screen struct {
	mu   sync.Mutex
	all  bytes.Buffer
	text string
	seen func()
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all.Write(p)
	if s.seen != nil && strings.Contains(s.all.String(), s.text) {
		s.seen()
		s.seen = nil
	}
	return len(p), nil
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

// patience bounds a demo that does not show what it should.
const patience = time.Minute

// runUntil runs a demo until the text appears on its screen.
func runUntil(t *testing.T, text string, o Options) (Summary, string, error) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out := &screen{text: text, seen: cancel}
	o.Out, o.Log = out, zerolog.Nop()
	s, err := Run(ctx, o)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Fatalf("%q did not appear:\n%s", text, out)
	}
	left, readErr := os.ReadDir(os.TempDir())
	if readErr != nil || len(left) != 0 {
		t.Errorf("the demo left %v behind, %v", left, readErr)
	}
	return s, out.String(), err
}

func TestDemoLosesNothing(t *testing.T) {
	const answers = "← the application answers"
	s, screen, err := runUntil(t, answers, Options{Rate: 200, Seed: 42})
	if err != nil {
		t.Fatalf("%v\n%s", err, screen)
	}
	if !s.OK() || s.Lost != 0 || s.Sent == 0 || s.Received < s.Sent || s.Requests < 1 || s.Answered < 1 || s.P50 > s.P99 {
		t.Errorf("%+v\n%s", s, screen)
	}
	for _, shown := range []string{"Network Server   ws://127.0.0.1:", "MQTT broker      mqtt://127.0.0.1:", "metrics          http://127.0.0.1:",
		"lora/uplink/", "lora/downlink_request/", "downstream {"} {
		if !strings.Contains(screen, shown) {
			t.Errorf("the screen lacks %q:\n%s", shown, screen)
		}
	}
}

func TestDemoEndsByItself(t *testing.T) {
	s, screen, err := runUntil(t, "no such text", Options{Rate: 1, Seed: 1, For: time.Nanosecond})
	if err != nil || s.Lost != 0 || s.OK() != (s.Sent > 0) {
		t.Errorf("%+v, %v\n%s", s, err, screen)
	}
}

func TestDemoInterruptedAtTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	t.Setenv("TMPDIR", t.TempDir())
	if _, err := Run(ctx, Options{Rate: 1, Out: &screen{}, Log: zerolog.Nop()}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) != 0 {
		t.Errorf("the demo left %v behind, %v", left, err)
	}
}
