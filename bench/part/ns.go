package part

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// NS is the flood's Network Server.
type NS struct {
	Listen string
	Held   bool   // it sends no frame on any stream until SIGUSR1, and is alive otherwise
	Hold   uint64 // frames after which it falls silent until SIGUSR1, or some more; 0: it never does
	Flood  Flood
}

// Run serves until ctx ends.
func (n NS) Run(ctx context.Context) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	defer signal.Stop(signals)
	cfg := n.Flood.simulation()
	cfg.Flood.Held = n.Held
	ns, err := simulator.New(cfg)
	if err != nil {
		return err
	}
	if err := ns.Start(n.Listen); err != nil {
		return err
	}
	defer ns.Close()
	if n.Held {
		select {
		case <-signals:
		case <-ctx.Done():
		}
		ns.Release()
	}
	if n.Hold > 0 {
		if ns.Await(ctx, func(s simulator.Stats) bool { return s.Sent >= n.Hold }) != nil {
			return nil // ctx has ended
		}
		ns.Stall(0)
		select {
		case <-signals:
		case <-ctx.Done():
		}
		ns.Resume()
	}
	<-ctx.Done()
	return nil
}
