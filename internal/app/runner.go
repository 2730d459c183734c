package app

import (
	"context"
	"time"

	"github.com/lorry-mqtt/lorry/internal/api"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/messages"
)

// runner is what the API knows of the connections that this node runs.
type runner struct{ app *App }

// Summary implements api.Runner. It asks no actor: a list of thousands is read off the counters.
func (r runner) Summary(id string) api.Summary {
	s := api.Summary{State: telemetry.Connecting} // unless it is about to be started
	if c := r.app.metrics.Lookup(id); c != nil {
		s = api.Summary{
			State: c.State.Load(), InFlight: c.InFlight.Load(), Acknowledged: c.Acknowledged.Load(),
			Lag: messages.Lag{Frames: c.LagFrames.Load(), Seconds: c.Lag.Load().Seconds()},
		}
	}
	if r.app.applier.fault(id) != "" {
		s.State = telemetry.Misconfigured
	}
	return s
}

// Status implements api.Runner.
func (r runner) Status(id string) messages.Status {
	fault := r.app.applier.fault(id)
	if fault == "" {
		if status := r.app.tree.StatusOf(id); status.ID != "" {
			return status
		}
	}
	// Nobody runs it: it cannot be run, or is just being started or replaced.
	state, now := r.Summary(id).State, time.Now().UTC()
	status := messages.Status{
		ID: id, State: state, Since: now, Node: r.app.config.Node.Name,
		Broker: messages.BrokerStatus{State: state, Since: now, LastError: fault},
		Source: messages.SourceStatus{State: messages.SourceConnecting, Since: now},
	}
	if counters := r.app.metrics.Lookup(id); counters != nil {
		status.Counters = counters.Snapshot()
	}
	return status
}

// Restart implements api.Runner.
func (r runner) Restart(id string) error { return r.app.tree.Restart(id) }

// Nodes implements api.Runner: this one runs them all.
func (r runner) Nodes(context.Context) ([]api.Node, error) {
	node := api.Node{
		Name: r.app.config.Node.Name, State: "up", Since: r.app.since, Version: r.app.version, Connections: []string{},
	}
	if r.app.metrics.Node.Draining.Load() != 0 {
		node.State = "draining"
	}
	for _, e := range r.app.applier.registry.List() {
		node.Connections = append(node.Connections, e.Spec.ID)
	}
	return []api.Node{node}, nil
}
