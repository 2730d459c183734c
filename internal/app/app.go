// Package app wires a node together from its configuration: NATS, buffer, actors, HTTP. Nothing else does.
package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/actors"
	"github.com/lorry-mqtt/lorry/internal/api"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/config"
	"github.com/lorry-mqtt/lorry/internal/eventlog"
	"github.com/lorry-mqtt/lorry/internal/natsconn"
	"github.com/lorry-mqtt/lorry/internal/registry"
	"github.com/lorry-mqtt/lorry/internal/sockets"
	"github.com/lorry-mqtt/lorry/internal/source"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/messages"
)

// stopReserve is how long a node may take to stop beyond its grace for PUBACKs.
const stopReserve = 10 * time.Second

// frameHeadroom is what a frame leaves of the largest NATS message, for subject and headers.
const frameHeadroom = 4 << 10

// App is one node. Start it once, then Stop it once.
type App struct {
	config  config.Config
	log     zerolog.Logger
	metrics *telemetry.Metrics

	version string
	since   time.Time

	http    *api.Server
	events  *eventlog.Log
	nats    *natsconn.Conn // nil until it is open
	tree    *actors.Tree   // nil until it runs
	applier *applier       // nil until the tree runs

	phase atomic.Pointer[phase]
}

// phase is how far a node is, for those who ask over HTTP while it starts and stops.
type phase struct {
	notReady string         // why it cannot do its work; empty when it can
	nats     *natsconn.Conn // when it can
}

// New makes a node of a configuration that config.Load has accepted.
func New(cfg config.Config, log zerolog.Logger, version, commit string) (*App, error) {
	if cfg.Node.Name == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("node.name: it is empty and the host has no name: %w", err)
		}
		cfg.Node.Name = host
	}
	a := &App{
		config:  cfg,
		log:     log.With().Str("node", cfg.Node.Name).Logger(),
		metrics: telemetry.NewMetrics(version, commit),
		events:  eventlog.New(),
		version: version,
		since:   time.Now().UTC(),
	}
	if !cfg.Metrics.PerConnection {
		a.metrics.OnlyNode()
	}
	a.phase.Store(&phase{notReady: "starting"})
	options, err := httpOptions(cfg.HTTP)
	if err != nil {
		return nil, err
	}
	options.Metrics, options.Ready, options.Log = a.metrics.Handler(), a.Ready, a.log
	a.http = api.New(options)
	return a, nil
}

// Start opens the store, starts the connections and serves HTTP. After an error nothing is left running.
func (a *App) Start(ctx context.Context) error {
	for _, warning := range a.config.Warnings {
		a.log.Warn().Msg(warning)
	}
	if err := a.start(ctx); err != nil {
		return errors.Join(err, a.shut())
	}
	a.phase.Store(&phase{nats: a.nats})
	a.log.Info().Str("http", a.HTTPAddress()).Int("connections", len(a.applier.registry.List())).Msg("node is up")
	return nil
}

func (a *App) start(ctx context.Context) error {
	if err := a.http.Start(); err != nil { // first: a port that is taken is found before anything is opened
		return err
	}
	natsConfig, err := natsConfig(a.config)
	if err != nil {
		return err
	}
	if a.nats, err = natsconn.Open(ctx, natsConfig, a.log); err != nil {
		return err
	}
	deps, err := a.deps(ctx)
	if err != nil {
		return err
	}
	if a.tree, err = actors.Start(deps); err != nil {
		return err
	}
	return a.startConnections(ctx, deps)
}

// startConnections opens the registry, runs what is in it and in the configuration, and has the API manage it.
func (a *App) startConnections(ctx context.Context, deps actors.Deps) error {
	connections, err := registry.Open(ctx, a.nats.JetStream, a.config.Buffer.Replicas, a.config.Connections, a.log)
	if err != nil {
		return err
	}
	a.applier = newApplier(connections, a.tree, deps, a.config.Source, a.events)
	if err := a.applier.start(ctx); err != nil {
		return err
	}
	a.http.Serve(api.Service{
		Registry: connections, Runner: runner{a}, Events: a.events, Source: a.config.Source,
		Prober: prober{deps.Dial}, Replayer: replayer{deps.Store, a.tree, connections}, Parked: parkedFrames{deps.Parked, a.tree},
	})
	return nil
}

// deps opens what the connections share.
func (a *App) deps(ctx context.Context) (actors.Deps, error) {
	deps := actors.Deps{
		Node: a.config.Node.Name, Metrics: a.metrics, Log: a.log, Events: a.events, Dial: sockets.Limit(a.config.Egress.Policy().DialContext),
		Unsynced: a.nats.Unsynced(), MaxFrameBytes: min(source.DefaultMaxFrameBytes, int(a.nats.MaxPayload())-frameHeadroom),
	}
	b := a.config.Buffer
	var err error
	deps.Store, err = buffer.Open(ctx, a.nats.JetStream, buffer.Config{
		MaxAge: time.Duration(b.MaxAge), MaxBytes: int64(b.MaxBytes),
		MaxFramesPerConnection: uint64(b.MaxFramesPerConnection), Replicas: b.Replicas,
	})
	if err != nil {
		return deps, err
	}
	if err := a.metrics.Register(bufferBytes(deps.Store)); err != nil {
		return deps, err
	}
	if deps.Cursors, err = buffer.OpenCursors(ctx, a.nats.JetStream, b.Replicas); err != nil {
		return deps, err
	}
	deps.Parked, err = buffer.OpenParked(ctx, a.nats.JetStream, b.Replicas)
	return deps, err
}

// Run starts the node, waits until ctx ends, and drains it. A ctx that ends while the node starts is no error.
func (a *App) Run(ctx context.Context) error {
	err := a.Start(ctx)
	if err != nil && ctx.Err() == nil {
		return err
	}
	if err != nil {
		a.log.Info().Msg("stopped before the node was up")
		return nil //nolint:nilerr // what failed, failed of being stopped
	}
	var failed error
	select {
	case <-ctx.Done():
		a.log.Info().Stringer("grace", time.Duration(a.config.Node.ShutdownGrace)).Msg("draining")
	case failed = <-a.tree.Failed():
	case failed = <-a.http.Failed():
	}
	return errors.Join(failed, a.Stop())
}

// Stop drains the connections, waits for PUBACKs as long as node.shutdown_grace allows, saves the cursors and
// closes the store.
func (a *App) Stop() error {
	a.phase.Store(&phase{notReady: "draining"})
	err := a.shut()
	if err == nil {
		a.log.Info().Msg("node is down")
	}
	return err
}

// shut ends whatever runs, the last started first, but HTTP last: health and metrics are of use until the end.
func (a *App) shut() error {
	var errs []error
	if a.applier != nil {
		a.applier.stop()
	}
	if a.tree != nil {
		grace := time.Duration(a.config.Node.ShutdownGrace)
		ctx, cancel := context.WithTimeout(context.Background(), grace+stopReserve)
		defer cancel()
		errs = append(errs, a.tree.Stop(ctx, grace))
	}
	if a.nats != nil {
		errs = append(errs, a.nats.Close())
	}
	return errors.Join(append(errs, a.http.Stop())...)
}

// Ready is nil when the node can do its work: it is up, and its store answers.
func (a *App) Ready() error {
	now := a.phase.Load()
	if now.notReady != "" {
		return errors.New(now.notReady)
	}
	if !now.nats.IsConnected() {
		return errors.New("no connection to NATS")
	}
	return nil
}

// HTTPAddress is where the node serves HTTP, host:port.
func (a *App) HTTPAddress() string { return a.http.Address() }

// NATSAddress is where the node's store is: a directory or a URL.
func (a *App) NATSAddress() string {
	if a.config.NATS.URL != nil {
		return a.config.NATS.URL.String()
	}
	return a.config.NATS.Embedded.Dir
}

// Status is what the connections say of themselves.
func (a *App) Status() ([]messages.Status, error) { return a.tree.Status() }

// Tree is the node's actors, for the program that embeds it.
func (a *App) Tree() *actors.Tree { return a.tree }
