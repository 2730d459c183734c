package app

import (
	"context"
	"time"

	"github.com/lorry-mqtt/lorry/actors"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// replayer is what the API knows of delivering a stretch of time again.
type replayer struct {
	store *buffer.Store
	tree  *actors.Tree
}

// Count implements api.Replayer.
func (r replayer) Count(ctx context.Context, id string, from, to time.Time) (frames uint64, err error) {
	log, err := r.store.OpenLog(ctx, id, 0)
	if err != nil {
		return 0, err
	}
	err = log.Between(ctx, from, to, func(found []dataapi.Frame) error {
		frames += uint64(len(found))
		return nil
	})
	return frames, err
}

// Start implements api.Replayer.
func (r replayer) Start(_ context.Context, id string, from, to time.Time) error {
	return answered(r.tree.Replay(id, from, to))
}
