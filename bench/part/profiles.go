package part

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

// profiles are those of this process.
type profiles struct {
	path string // of their files, without their endings
	cpu  *os.File
}

// take runs what it is given, and writes the profiles.
func (p *profiles) take(ctx context.Context, run func(ctx context.Context) error) error {
	if err := p.begin(); err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	asked := make(chan error, 1)
	go func() {
		var err error
		for s := range signals {
			if s == syscall.SIGUSR1 {
				err = errors.Join(err, p.write("heap"), p.write("goroutine"))
			} else {
				err = errors.Join(err, p.end(), p.begin())
			}
		}
		asked <- err
	}()
	err := run(ctx)
	signal.Stop(signals)
	close(signals)
	return errors.Join(err, <-asked, p.end(), p.write("allocs"))
}

// begin begins a profile of the CPU, in place of any before it.
func (p *profiles) begin() (err error) {
	if p.cpu, err = os.Create(p.path + ".cpu.pprof"); err != nil {
		return fmt.Errorf("profile the node: %w", err)
	}
	if err := pprof.StartCPUProfile(p.cpu); err != nil {
		return errors.Join(fmt.Errorf("profile the node: %w", err), p.cpu.Close())
	}
	return nil
}

func (p *profiles) end() error {
	pprof.StopCPUProfile()
	return p.cpu.Close()
}

// write writes one of the runtime's profiles as it is.
func (p *profiles) write(name string) error {
	f, err := os.Create(p.path + "." + name + ".pprof")
	if err != nil {
		return fmt.Errorf("profile the node: %w", err)
	}
	return errors.Join(pprof.Lookup(name).WriteTo(f, 0), f.Close())
}
