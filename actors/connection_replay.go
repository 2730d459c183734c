package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"golang.org/x/time/rate"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/eventlog"
	"github.com/lorry-mqtt/lorry/messages"
)

// replayRate bounds how many frames a second a replay on request puts aside. From there they are delivered when nothing
// else waits, so this is about the disk, not about what is live.
const replayRate = 1000

// ErrReplaying says that a connection is delivering a stretch of time again already.
var ErrReplaying = errors.New("a replay is under way: wait for its end, or restart the connection to end it")

// replay is a stretch of time that is delivered again. Its frames are copied from the log to what is aside, and come
// from there like everything else: in their order, with PUBACKs, over restarts. The log's cursor does not move for it.
type replay struct {
	books    *books
	from, to time.Time
	began    uint64 // number of the last frame aside before it
	frames   uint64 // in all; 0 until they are counted
	stored   bool   // all are aside
	last     uint64 // number of the last of them there
}

// Reports of a replay's goroutine.
type (
	replayCounted struct {
		replay *replay
		frames uint64
	}
	// replayStored says that all frames are aside, or why not.
	replayStored struct {
		replay *replay
		last   uint64
		err    error
	}
)

// replay begins one, unless another is under way.
func (c *connectionActor) replay(ctx actor.Context, m *messages.ReplayFrames) {
	switch {
	case c.shared == nil || c.closing || c.draining:
		ctx.Respond(&messages.Done{Err: fmt.Errorf("connection %s: %w", c.spec.ID, ErrNotRunning)})
		return
	case c.replaying != nil && c.replaying.books == c.shared.books:
		ctx.Respond(&messages.Done{Err: fmt.Errorf("connection %s: %w", c.spec.ID, ErrReplaying)})
		return
	}
	r := &replay{books: c.shared.books, from: m.From, to: m.To, began: c.shared.framesAside.Last()}
	c.replaying = r
	life, spec := c.life, c.spec
	life.run(life.ctx, func(ctx context.Context) {
		frames, err := r.each(ctx, spec, func([]dataapi.Frame) error { return nil })
		life.tell(replayCounted{r, frames})
		last := r.began
		if err == nil {
			last, err = r.copy(ctx, spec)
		}
		life.tell(replayStored{r, last, err})
	})
	c.state.replay("a replay has begun", r, nil)
	ctx.Respond(&messages.Done{})
}

// Replayable gives the stored frames of a stretch of time that a replay delivers: all, but for downlink_requests, which
// have expired by now, where a connection discards those. It returns how many there are; an error of each ends it.
func Replayable(
	ctx context.Context, log *buffer.Log, expired connection.ExpiredRequests, from, to time.Time, each func([]dataapi.Frame) error,
) (frames uint64, err error) {
	err = log.Between(ctx, from, to, func(found []dataapi.Frame) error {
		if expired == connection.ExpiredDiscard {
			found = slices.DeleteFunc(found, func(f dataapi.Frame) bool { return f.Envelope.Type == dataapi.DownlinkRequest })
		}
		frames += uint64(len(found))
		return each(found)
	})
	return frames, err
}

// each gives the frames of the stretch.
func (r *replay) each(ctx context.Context, spec connection.Spec, do func([]dataapi.Frame) error) (frames uint64, err error) {
	return Replayable(ctx, r.books.frames, spec.Downlink.ExpiredRequests, r.from, r.to, do)
}

// copy puts the frames aside, at the rate that is allowed, and returns the number of the last one there.
func (r *replay) copy(ctx context.Context, spec connection.Spec) (last uint64, err error) {
	limit := rate.NewLimiter(replayRate, replayRate)
	_, err = r.each(ctx, spec, func(frames []dataapi.Frame) error {
		for len(frames) > 0 {
			n := min(len(frames), replayRate)
			if err := limit.WaitN(ctx, n); err != nil {
				return err
			}
			stored, err := r.books.framesAside.Append(context.WithoutCancel(ctx), frames[:n], make([]uint64, n))
			if err != nil {
				return err
			}
			frames = frames[stored:]
			r.books.feed.Wake()
		}
		return nil
	})
	return r.books.framesAside.Last(), err
}

// replayStored goes on when all frames are aside.
func (c *connectionActor) replayStored(m replayStored) {
	if m.replay != c.replaying {
		return
	}
	if m.err != nil {
		c.state.replay("a replay has failed; what of it is aside is delivered", m.replay, m.err)
		c.replaying = nil
		return
	}
	m.replay.stored, m.replay.last = true, m.last
	c.lookAtReplay()
}

// lookAtReplay ends the replay when all of it is delivered.
func (c *connectionActor) lookAtReplay() {
	r := c.replaying
	switch {
	case r == nil:
	case r.books != c.shared.books:
		c.state.replay("a replay was cut short: the buffer was opened anew", r, nil)
		c.replaying = nil
	case r.stored && r.books.floor.load().Aside.Number >= r.last:
		c.state.replay("a replay is over", r, nil)
		c.replaying = nil
	}
}

// delivered is how many of the frames are. Others that are aside may be among them, before the end.
func (r *replay) delivered() uint64 {
	floor := r.books.floor.load().Aside.Number
	return min(floor-min(floor, r.began), r.frames)
}

// status is the answer to GetStatus.
func (c *connectionActor) status() messages.Status {
	s := c.state.status()
	if r := c.replaying; r != nil {
		s.Replay = &messages.Replay{From: r.from, To: r.to, Frames: r.frames, Delivered: r.delivered()}
	}
	return s
}

// replay logs what has become of one.
func (s *state) replay(what string, r *replay, err error) {
	entry, level := s.log.Info(), eventlog.Info
	if err != nil {
		entry, level = s.log.Error().Err(err), eventlog.Error
	}
	entry.Time("from", r.from).Time("to", r.to).Uint64("frames", r.frames).Msg(what)
	s.event(level, eventlog.Replayed, what, err, counted(r.frames, ""))
}
