//go:build !linux

package process

import (
	"errors"
	"syscall"
	"time"
)

var errNoProc = errors.New("the benchmark measures by /proc, and so runs on Linux only")

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

// Usage is for Linux.
func (p *Process) Usage() (Usage, error) { return Usage{}, p.failed(errNoProc) }

// Busy is for Linux.
func Busy() (time.Duration, error) { return 0, errNoProc }

// Own is for Linux.
func Own() (time.Duration, error) { return 0, errNoProc }
