package part

import (
	"context"
	"errors"
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
	Pace   Pace   // of messages beside the flood
	Paced  string // where the pace's numbers are
}

// Run serves until ctx ends.
func (n NS) Run(ctx context.Context) (err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	defer signal.Stop(signals)
	cfg := n.Flood.simulation()
	cfg.Flood.Held = n.Held
	ns, err := simulator.New(cfg)
	if err != nil {
		return err
	}
	end, err := n.Pace.beside(ctx, ns, &n.Flood, n.Paced)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
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
