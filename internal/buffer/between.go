package buffer

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// Between gives the stored frames whose meta.time lies in a stretch, from one time up to but not including another, of
// the Network Server's clock, in the order in which they were stored. What is stored after it begins is
// not among them. It may be called by any goroutine; an error of each ends it.
func (l *Log) Between(ctx context.Context, begin, end time.Time, each func([]dataapi.Frame) error) error {
	from, to := unixSeconds(begin), unixSeconds(end)
	last, err := l.store.lastMessage(ctx, l.subject)
	if err != nil || last == nil {
		return err
	}
	// Frames of history that came late may lie behind newer ones, so nothing but the log's end is the end.
	first, err := l.firstMessageUpTo(ctx, last.Sequence, func(_ Batch, highest float64) bool { return highest >= from })
	if err != nil {
		return l.readError(Position{}, err)
	}
	for pos := (Position{Seq: first}); pos.Seq <= last.Sequence; {
		reached := pos.Seq
		err := l.messages(ctx, pos, func(msg *jetstream.RawStreamMsg) error {
			reached = msg.Sequence + 1
			if msg.Sequence > last.Sequence {
				return errBeyond
			}
			batch, err := unpack(msg.Header, msg.Data, msg.Sequence, msg.Time)
			if err != nil {
				return l.readError(pos, err)
			}
			if frames := within(batch.Frames, from, to); len(frames) > 0 {
				return each(frames)
			}
			return nil
		})
		if errors.Is(err, errBeyond) || err == nil && reached == pos.Seq {
			return nil
		}
		if err != nil {
			return err
		}
		pos.Seq = reached
	}
	return nil
}

// errBeyond ends a read that has come to what was stored after it began.
var errBeyond = errors.New("stored later")

func unixSeconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// within are the frames of a stretch of time.
func within(frames []dataapi.Frame, from, to float64) (found []dataapi.Frame) {
	for _, f := range frames {
		if t := f.Envelope.Meta.Time; t >= from && t < to {
			found = append(found, f)
		}
	}
	return found
}
