package app

import (
	"context"

	"github.com/lorry-mqtt/lorry/internal/api"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/endpoint"
	"github.com/lorry-mqtt/lorry/internal/probe"
)

// prober tests connections for the API, under the same policy of egress as those that run.
type prober struct{ dial endpoint.Dial }

// Probe implements api.Prober.
func (p prober) Probe(ctx context.Context, spec connection.Spec) api.ProbeReport {
	r := probe.Probe(ctx, spec, p.dial)
	return api.ProbeReport{OK: r.OK, Broker: stages(r.Broker), Source: stages(r.Source)}
}

func stages(tried []probe.Stage) []api.ProbeStage {
	shown := make([]api.ProbeStage, len(tried))
	for i, s := range tried {
		shown[i] = api.ProbeStage(s)
	}
	return shown
}
