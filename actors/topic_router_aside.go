package actors

import (
	"context"
	"maps"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/messages"
)

// What became of downlink_requests that had expired before their turn, for the counter.
const (
	expiredLast      = "delivered_last"
	expiredDiscarded = "discarded"
)

// maxMoved is how many frames that were set aside are remembered beyond those that are still needed.
const maxMoved = 1024

// setAside takes the downlink_requests that have expired out of a batch of the log: they are of no use any more and
// must not hold up what is. They are stored aside, or discarded if the connection wants that. It returns the frames
// that are not to be published in this place. After an error the same batch is to be read again.
func (r *topicRouter) setAside(ctx context.Context, d *delivery, batch buffer.Batch) (settled []uint64, err error) {
	var late []dataapi.Frame
	var origins []uint64
	now := time.Now()
	for i := range batch.Frames {
		f, number := &batch.Frames[i], batch.First+uint64(i)
		if f.Envelope.Type != dataapi.DownlinkRequest {
			continue
		}
		overtook := d.ahead.take(number) || r.floor.settled(number)
		if _, moved := r.moved[number]; moved {
			settled = append(settled, number)
		} else if f.Expired(now) && !overtook {
			late, origins = append(late, *f), append(origins, number)
		}
	}
	if len(late) == 0 {
		return settled, nil
	}
	if r.spec.Downlink.ExpiredRequests == connection.ExpiredDiscard {
		r.counters.RequestsExpired.Add(expiredDiscarded, uint64(len(late)))
		return append(settled, origins...), nil
	}
	for len(late) > 0 {
		// Like any append it is not cut short: it would not be known whether it was stored.
		n, err := r.framesAside.Append(context.WithoutCancel(ctx), late, origins)
		if err != nil {
			return nil, err
		}
		r.remember(origins[:n])
		r.counters.RequestsExpired.Add(expiredLast, uint64(n))
		settled, late, origins = append(settled, origins[:n]...), late[n:], origins[n:]
	}
	return settled, nil
}

// remember notes frames that are aside, so that they are not set aside again when a delivery begins anew before they
// are settled. It is called with r.reading held.
func (r *topicRouter) remember(numbers []uint64) {
	if len(r.moved) >= maxMoved {
		floor := r.floor.load().Number
		maps.DeleteFunc(r.moved, func(n uint64, _ struct{}) bool { return n <= floor })
	}
	for _, n := range numbers {
		r.moved[n] = struct{}{}
	}
}

// siding reads what is aside.
type siding struct {
	frames  *buffer.Aside
	pos     buffer.Position
	ahead   []buffer.Batch           // read and not yet taken
	missing func(first, last uint64) // is told of frames that the buffer's limits have removed
	floor   func() buffer.Position   // how far it is settled
	cleared uint64
}

// next returns at most limit frames; none when nothing is aside. It does not wait.
func (s *siding) next(ctx context.Context, limit int) (buffer.Batch, error) {
	if last := s.frames.Last(); len(s.ahead) == 0 && s.pos.Number < last {
		var err error
		if s.ahead, err = s.frames.ReadAfter(ctx, s.pos); err != nil {
			return buffer.Batch{}, err
		}
		if len(s.ahead) == 0 {
			s.missing(s.pos.Number+1, last)
			s.pos.Number = last
		}
	}
	if len(s.ahead) == 0 {
		s.clear(ctx)
		return buffer.Batch{}, nil
	}
	batch := s.ahead[0].Head(limit)
	if batch.First > s.pos.Number+1 {
		s.missing(s.pos.Number+1, batch.First-1)
	}
	s.pos = batch.At(batch.Last())
	if s.ahead[0] = s.ahead[0].After(batch.Last()); len(s.ahead[0].Frames) == 0 {
		s.ahead = s.ahead[1:]
	}
	return batch, nil
}

// clear gives back the space once everything is delivered. A failure costs nothing but that, until the next try.
func (s *siding) clear(ctx context.Context) {
	if floor := s.floor(); floor.Number > s.cleared && floor.Number == s.frames.Last() && s.frames.Clear(ctx, floor) == nil {
		s.cleared = floor.Number
	}
}

// resend puts a parked frame aside, from where it is delivered, and answers the asker.
func (r *topicRouter) resend(asker *actor.PID, seq uint64) {
	r.life.run(r.life.ctx, func(ctx context.Context) {
		err := r.unpark(ctx, seq)
		if err == nil {
			r.feed.Wake()
		}
		r.life.root.Send(asker, &messages.Done{Err: err})
	})
}

// unpark stores the frame aside before it forgets the parked one: it may be delivered twice, but not be lost.
func (r *topicRouter) unpark(ctx context.Context, seq uint64) error {
	parked, err := r.Parked.Get(ctx, r.spec.ID, seq)
	if err != nil {
		return err
	}
	frame := dataapi.Frame{Raw: parked.Raw, Received: time.Now()}
	if _, err := r.framesAside.Append(context.WithoutCancel(ctx), []dataapi.Frame{frame}, []uint64{0}); err != nil {
		return err
	}
	return r.Parked.Drop(context.WithoutCancel(ctx), r.spec.ID, seq)
}
