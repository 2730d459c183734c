package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/lorry-mqtt/lorry/actors"
	"github.com/lorry-mqtt/lorry/internal/api"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/registry"
)

// parkedFrames is what the API knows of the frames that were set apart.
type parkedFrames struct {
	parked *buffer.Parked
	tree   *actors.Tree
}

// List implements api.Parked.
func (p parkedFrames) List(ctx context.Context, id string, after uint64, limit int) ([]api.ParkedFrame, error) {
	frames, err := p.parked.List(ctx, id, after, limit)
	shown := make([]api.ParkedFrame, len(frames))
	for i, f := range frames {
		shown[i] = api.ParkedFrame{
			Seq: f.Seq, Number: f.Number, Topic: f.Topic, Reason: f.Reason, Attempts: f.Attempts, ParkedAt: f.ParkedAt, Payload: string(f.Raw),
		}
	}
	return shown, err
}

// Resend implements api.Parked.
func (p parkedFrames) Resend(_ context.Context, id string, seq uint64) error {
	return answered(p.tree.Resend(id, seq))
}

// Drop implements api.Parked.
func (p parkedFrames) Drop(ctx context.Context, id string, seq uint64) error {
	return answered(p.parked.Drop(ctx, id, seq))
}

// answered turns the errors that are the asker's into those that the API knows.
func answered(err error) error {
	switch {
	case errors.Is(err, buffer.ErrNotParked):
		return fmt.Errorf("%w: %w", registry.ErrNotFound, err)
	case errors.Is(err, actors.ErrNotRunning), errors.Is(err, actors.ErrReplaying):
		return fmt.Errorf("%w: %w", api.ErrNotNow, err)
	}
	return err
}
