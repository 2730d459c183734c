package app

import (
	"context"
	"time"

	"github.com/lorry-mqtt/lorry/actors"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/registry"
)

// replayer is what the API knows of delivering a stretch of time again.
type replayer struct {
	store    *buffer.Store
	tree     *actors.Tree
	registry *registry.Registry
}

// Count implements api.Replayer.
func (r replayer) Count(ctx context.Context, id string, from, to time.Time) (frames uint64, err error) {
	entry, err := r.registry.Get(id)
	if err != nil {
		return 0, err
	}
	log, err := r.store.OpenLog(ctx, id, 0)
	if err != nil {
		return 0, err
	}
	return actors.Replayable(ctx, log, entry.Spec.Downlink.ExpiredRequests, from, to, func([]dataapi.Frame) error { return nil })
}

// Start implements api.Replayer.
func (r replayer) Start(_ context.Context, id string, from, to time.Time) error {
	return answered(r.tree.Replay(id, from, to))
}
