package buffer

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// trimStep is the share of the bound by which a log may pass it before the oldest frames are removed, so that
// the cost of looking is spread.
const trimStep = 32

// Trim removes the oldest messages once the log holds more frames than its bound. It is cheap when there is
// nothing to do and is called by the goroutine that appends. A failure costs nothing but space until the next
// try.
func (l *Log) Trim(ctx context.Context) error {
	bound, last := l.store.config.MaxFramesPerConnection, l.last.Load()
	if bound == 0 || last <= bound || last < l.trimAt {
		return nil
	}
	l.trimAt = last + max(bound/trimStep, 1)
	keep := last - bound + 1
	seq, err := l.firstMessage(ctx, func(b Batch, _ float64) bool { return b.Last() >= keep })
	if err != nil {
		return fmt.Errorf("find frame %d in subject %s: %w", keep, l.subject, err)
	}
	err = l.store.stream.Purge(ctx, jetstream.WithPurgeSubject(l.subject), jetstream.WithPurgeSequence(seq))
	if err != nil {
		return fmt.Errorf("remove the frames before number %d from subject %s: %w", keep, l.subject, err)
	}
	return nil
}
