package part

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/lorry-mqtt/lorry/internal/app"
	"github.com/lorry-mqtt/lorry/internal/config"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

// Node is `lorry run` with profiles of it, which the product has no way to take.
type Node struct {
	Config string // file
	// Profiles is the path of the profiles' files up to .cpu.pprof, .allocs.pprof and, written whenever SIGUSR1
	// comes, .heap.pprof; empty: none.
	Profiles string
}

// Run runs the node until ctx ends.
func (n Node) Run(ctx context.Context) (err error) {
	cfg, err := config.Load(n.Config, nil)
	if err != nil {
		return err
	}
	log, err := telemetry.NewLogger(os.Stderr, cfg.Log.Level, cfg.Log.Format)
	if err != nil {
		return err
	}
	node, err := app.New(cfg, log, "bench", "")
	if err != nil {
		return err
	}
	if n.Profiles == "" {
		return node.Run(ctx)
	}
	return n.profile(ctx, node.Run)
}

// profile runs what it is given, and writes the profiles.
func (n Node) profile(ctx context.Context, run func(ctx context.Context) error) error {
	cpu, err := os.Create(n.Profiles + ".cpu.pprof")
	if err != nil {
		return fmt.Errorf("profile the node: %w", err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return errors.Join(fmt.Errorf("profile the node: %w", err), cpu.Close())
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	asked := make(chan error, 1)
	go func() {
		var err error
		for range signals {
			err = errors.Join(err, n.write("heap"))
		}
		asked <- err
	}()
	err = run(ctx)
	signal.Stop(signals)
	close(signals)
	pprof.StopCPUProfile()
	return errors.Join(err, <-asked, cpu.Close(), n.write("allocs"))
}

// write writes one of the runtime's profiles as it is.
func (n Node) write(name string) error {
	f, err := os.Create(n.Profiles + "." + name + ".pprof")
	if err != nil {
		return fmt.Errorf("profile the node: %w", err)
	}
	return errors.Join(pprof.Lookup(name).WriteTo(f, 0), f.Close())
}
