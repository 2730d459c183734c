package part

import (
	"context"
	"os"

	"github.com/lorry-mqtt/lorry/internal/app"
	"github.com/lorry-mqtt/lorry/internal/config"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

// Node is `lorry run` with profiles of it, which the product has no way to take.
type Node struct {
	Config string // file
	// Profiles is the path of the profiles' files up to .cpu.pprof and .allocs.pprof, written at the end, .heap.pprof and
	// .goroutine.pprof, written whenever SIGUSR1 comes; empty: none. With SIGUSR2 that of the CPU begins anew.
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
	return (&profiles{path: n.Profiles}).take(ctx, node.Run)
}
