package actors

import (
	"context"
	"errors"

	"github.com/lorry-mqtt/lorry/internal/backoff"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/messages"
)

// deliver reads the feed from a position on, and what is aside whenever the feed has nothing more, never more than
// there is credit for, until ctx ends. It runs in a goroutine of its own, since reading waits: for credit, for frames,
// for the disk.
func (r *topicRouter) deliver(ctx context.Context, d *delivery, pos, aside buffer.Position) {
	failures := backoff.New()
	siding := r.newSiding(aside)
	for {
		n := d.credit.take(ctx)
		if n == 0 {
			return
		}
		next, err := r.next(ctx, d, pos, siding, n)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			if errors.Is(err, buffer.ErrFenced) {
				r.life.tell(&messages.BufferFenced{Err: err})
				return
			}
			r.life.tell(&messages.BufferChanged{Child: topicRouterName, Err: err})
			d.credit.add(n)
			if !pause(ctx, failures.Failed(0)) {
				return
			}
			continue
		}
		failures.Reset()
		d.credit.add(n - len(next.batch.Frames))
		if len(next.batch.Frames) == 0 {
			continue // woken: something may be aside
		}
		if next.lane == messages.LaneMain {
			if next.batch.First > pos.Number+1 {
				r.missing(messages.LaneMain, pos.Number+1, next.batch.First-1)
			}
			pos = next.batch.At(next.batch.Last())
		}
		next.run = d.run
		r.life.tell(next)
	}
}

// next is what the publisher gets next: at most limit frames, and none when the feed was woken.
func (r *topicRouter) next(ctx context.Context, d *delivery, pos buffer.Position, siding *siding, limit int) (framesRead, error) {
	if r.feed.CaughtUp(pos) {
		batch, err := siding.next(ctx, limit)
		if err != nil || len(batch.Frames) > 0 {
			return framesRead{lane: messages.LaneAside, batch: batch}, err
		}
	}
	batch, err := r.feed.Next(ctx, pos, limit)
	if err != nil {
		return framesRead{}, err
	}
	settled, err := r.setAside(ctx, d, batch)
	return framesRead{lane: messages.LaneMain, batch: batch, settled: settled}, err
}

// newSiding reads what is aside behind a position.
func (r *topicRouter) newSiding(pos buffer.Position) *siding {
	return &siding{
		frames: r.framesAside, pos: pos, floor: func() buffer.Position { return r.floor.load().Aside },
		missing: func(first, last uint64) { r.missing(messages.LaneAside, first, last) },
	}
}

func (r *topicRouter) missing(lane messages.Lane, first, last uint64) {
	r.life.tell(&messages.FramesEvicted{Lane: lane, First: first, Last: last})
}
