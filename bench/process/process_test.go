package process_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/lorry-mqtt/lorry/bench/process"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, script string) *process.Process {
	t.Helper()
	p, err := process.Start(t.Context(), t.TempDir(), "script", "sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestStop(t *testing.T) {
	p := start(t, `trap 'exit 0' TERM; while :; do :; done`)
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	// A signal that comes before the trap ends the shell, too.
	if err := p.Stop(); err != nil && !strings.Contains(err.Error(), "signal: terminated") {
		t.Error(err)
	}
	if err := p.Check(); !errors.Is(err, process.ErrEnded) {
		t.Errorf("after it was stopped: %v", err)
	}
}

// TestEnded checks that who ends by itself is noticed, and its last words are passed on.
func TestEnded(t *testing.T) {
	p := start(t, `echo this went wrong >&2; exit 3`)
	address, err := process.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	err = p.AwaitListening(t.Context(), address)
	if !errors.Is(err, process.ErrEnded) || !strings.Contains(err.Error(), "script: ") || !strings.Contains(err.Error(), "this went wrong") {
		t.Errorf("while it was awaited: %v", err)
	}
	if err := p.Stop(); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("when it was stopped: %v", err)
	}
}

func TestKill(t *testing.T) {
	p := start(t, `trap 'echo it was asked' TERM; while :; do :; done`)
	p.Kill()
	if err := p.Check(); !errors.Is(err, process.ErrEnded) || strings.Contains(err.Error(), "it was asked") {
		t.Errorf("after it was killed: %v", err)
	}
	p.Kill() // twice is fine
}

func TestStartUnknown(t *testing.T) {
	_, err := process.Start(t.Context(), t.TempDir(), "nothing", "/there/is/no/such/program")
	if err == nil || !strings.Contains(err.Error(), "start nothing") {
		t.Errorf("got %v", err)
	}
}

func TestAwaitListening(t *testing.T) {
	p := start(t, `trap 'exit 0' TERM; while :; do :; done`)
	defer p.Stop() //nolint:errcheck // TestStop's matter
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := p.AwaitListening(t.Context(), l.Addr().String()); err != nil {
		t.Error(err)
	}
}
