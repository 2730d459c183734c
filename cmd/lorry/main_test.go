package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// asProgram makes the test binary be the program itself, so that signals and exit statuses are those of a process.
const asProgram = "TEST_BINARY_IS_LORRY"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// outcome is how a command line ended.
type outcome struct {
	status         int
	stdout, stderr string
}

// lorry runs a command line to its end, in this process and without an environment.
func lorry(t *testing.T, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), args, nil, &stdout, &stderr)
	return outcome{status, stdout.String(), stderr.String()}
}

// screen is where a running command writes. Tests wait for what appears on it.
type screen struct {
	t *testing.T

	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{}
}

func newScreen(t *testing.T) *screen { return &screen{t: t, changed: make(chan struct{})} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
	return s.text.Write(p)
}

func (s *screen) String() string {
	text, _ := s.now()
	return text
}

// now is what the screen shows, and a channel that is closed when it shows more.
func (s *screen) now() (string, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String(), s.changed
}

// await waits until the text appears, and returns what follows it on its line.
func (s *screen) await(text string) string {
	s.t.Helper()
	timeout := time.NewTimer(testkit.Patience)
	defer timeout.Stop()
	for {
		shown, changed := s.now()
		_, after, found := strings.Cut(shown, text)
		if line, _, whole := strings.Cut(after, "\n"); found && whole {
			return line
		}
		select {
		case <-changed:
		case <-timeout.C:
			s.t.Fatalf("waited in vain for %q:\n%s", text, shown)
		}
	}
}

// background is a command that runs in this process until it is stopped.
type background struct {
	stdout, stderr *screen
	t              *testing.T
	stop           context.CancelFunc
	status         chan int
}

// inBackground starts a command line. It is stopped with the test at the latest.
func inBackground(t *testing.T, args ...string) *background {
	t.Helper()
	return inBackgroundWith(t, nil, args...)
}

// inBackgroundWith is inBackground with an environment.
func inBackgroundWith(t *testing.T, environ []string, args ...string) *background {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	b := &background{stdout: newScreen(t), stderr: newScreen(t), t: t, stop: cancel, status: make(chan int, 1)}
	go func() {
		defer close(b.status)
		b.status <- run(ctx, args, environ, b.stdout, b.stderr)
	}()
	t.Cleanup(func() {
		cancel()
		for range b.status { // closed when the command has ended
		}
	})
	return b
}

// ends stops the command as a signal does and returns its exit status.
func (b *background) ends() int {
	b.t.Helper()
	b.stop()
	return <-b.status
}
