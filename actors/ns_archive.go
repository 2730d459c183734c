package actors

import (
	"context"
	"time"

	"github.com/lorry-mqtt/lorry/internal/backoff"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/messages"
)

// historyOverlap is how far back a REST history that broke off is read again: it is sorted by time, in whole seconds.
const historyOverlap = 2 * time.Second

// fetch reads from the REST history what the Data API has no longer, while the session's frames go on arriving: both
// are stored by merge, a batch at a time. A failure is tried again until ctx ends; the replay is not through before.
func (s *stream) fetch(ctx context.Context, r recovery) {
	s.log.Info().Str("actor", nsReaderName).Time("since", r.from).Time("until", r.to).Msg("reading the REST history")
	failures := backoff.New()
	for frames := 0; ; {
		begun := time.Now()
		err := s.ReadHistory(ctx, s.history, r.from, r.to, func(batch []dataapi.Frame) error {
			frames += len(batch)
			reached := batch[len(batch)-1].Envelope.Meta.Time
			if err := s.merge(ctx, batch); err != nil {
				return err
			}
			s.missed.reach(unixTime(reached).Add(-historyOverlap))
			r.from = s.missed.unfetched(r.from)
			return nil
		})
		if err == nil {
			s.log.Info().Str("actor", nsReaderName).Int("frames", frames).Msg("the REST history was read")
			s.life.tell(&messages.HistoryChanged{})
			s.missed.reach(r.to)
			s.fetched()
			return
		}
		if ctx.Err() != nil {
			return
		}
		s.life.tell(&messages.HistoryChanged{Err: err})
		if !pause(ctx, failures.Failed(time.Since(begun))) {
			return
		}
		// Its own end moves on while it cannot be read.
		if late := recoverSince(r.from, time.Now(), true); len(late.gaps) > 1 {
			s.report(ctx, s.missed.gap(late.gaps[1:]...))
			r.from = late.from
		}
	}
}

// fetched notes that the REST history is through; the replay may be, too.
func (s *stream) fetched() {
	s.merging.Lock()
	defer s.merging.Unlock()
	s.fetching = false
	s.replayed = time.Now()
}
