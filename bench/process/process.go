package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// startTimeout is how long a program may take until it listens.
	startTimeout = 30 * time.Second
	// stopGrace is how long a program has after SIGTERM.
	stopGrace = 30 * time.Second
	// lastWords is how much of a failed program's output its error quotes, in bytes.
	lastWords = 2048
)

// ErrEnded says that a program ended by itself.
var ErrEnded = errors.New("it ended by itself")

// Process is a running program. It dies with the benchmark.
type Process struct {
	Name string

	cmd   *exec.Cmd
	log   string        // file of its output
	ended chan struct{} // closed when it has ended
	err   error         // how it ended
}

// Start starts a program that ctx kills. Its output goes to the file NAME.log in dir.
func Start(ctx context.Context, dir, name string, args ...string) (*Process, error) {
	p := &Process{Name: name, log: filepath.Join(dir, name+".log"), ended: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.cmd = exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // the benchmark's own choice
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = attributes()
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), out.Close())
	}
	go func() {
		defer close(p.ended)
		p.err = errors.Join(p.cmd.Wait(), out.Close())
	}()
	return p, nil
}

// AwaitListening returns when something accepts TCP connections at the address, or with an error when the program has
// ended or the time is up.
func (p *Process) AwaitListening(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return p.failed(ErrEnded)
		case <-ctx.Done():
			return p.failed(fmt.Errorf("nothing listens on %s: %w", address, err))
		}
	}
}

// Check returns an error if the program has ended.
func (p *Process) Check() error {
	select {
	case <-p.ended:
		return p.failed(ErrEnded)
	default:
		return nil
	}
}

// Signal sends the program a signal.
func (p *Process) Signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return p.failed(fmt.Errorf("send it %v: %w", s, err))
	}
	return nil
}

// Stop ends the program by SIGTERM, or if that does not help by SIGKILL. It is an error if it does not end with
// status 0. Stopping twice is fine.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails if it has ended, which is seen below
	select {
	case <-p.ended:
		if p.err != nil {
			return p.failed(p.err)
		}
		return nil
	case <-time.After(stopGrace):
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
	return p.failed(fmt.Errorf("it did not end within %v of SIGTERM", stopGrace))
}

// Kill ends the program by SIGKILL, as a crash does, and returns when it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // fails if it has ended already
	<-p.ended
}

// failed adds the program's name and its last words to an error.
func (p *Process) failed(err error) error {
	said, readErr := os.ReadFile(p.log)
	if readErr != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	said = said[max(0, len(said)-lastWords):]
	return fmt.Errorf("%s: %w; the end of its output:\n%s", p.Name, err, strings.TrimSpace(string(said)))
}
