package actors

import (
	"context"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source"
	"github.com/lorry-mqtt/lorry/messages"
)

const (
	// replayQuiet is how long no replayed frame may have come for the replay to count as over. The Network
	// Server does not say when it is.
	replayQuiet = 2 * time.Minute
	// heardInterval is how far a quiet connection's record may be behind.
	heardInterval = 5 * time.Minute
	// recordGrace is how long the last write of the record may take when a session ends.
	recordGrace = 2 * time.Second
	// roomInterval is how often a replay that has filled the buffer looks for room.
	roomInterval = 50 * time.Millisecond
)

// resume says from when on the Network Server is asked to replay, and learns what of that is already stored.
// The first session of a connection begins with what is live.
func (s *stream) resume(ctx context.Context) (source.WebSocketOptions, error) {
	options := s.source
	s.warned = map[source.DiscardReason]bool{}
	options.Discarded = s.discarded
	from := s.missed.since(s.frames.Highest())
	s.frames.SetReplay(from)
	if from == 0 {
		return options, nil
	}
	options.From = unixTime(from)
	s.repeats, s.replayed = s.missed.recall(), time.Now()
	pos, err := s.frames.FromTime(ctx, from)
	if err != nil {
		return options, err
	}
	s.missed.recalled(s.frames.Last() + 1)
	for {
		batches, err := s.frames.ReadAfter(ctx, pos)
		if err != nil || len(batches) == 0 {
			return options, err
		}
		s.missed.recalled(batches[0].First)
		for _, b := range batches {
			for i := range b.Frames {
				s.repeats.Seen(b.Frames[i].Raw)
			}
			pos = b.At(b.Last())
		}
	}
}

// recover reports what of the frames that are owed cannot be had any more, and has those that the Data API no longer
// keeps fetched from the REST history. The channel it returns is closed when nothing is fetched any more.
func (s *stream) recover(ctx context.Context) <-chan struct{} {
	ended := make(chan struct{})
	owed := s.missed.owes()
	if owed == 0 {
		close(ended)
		return ended
	}
	r := recoverSince(unixTime(owed), time.Now(), s.history.URL != "")
	s.report(ctx, s.missed.gap(r.gaps...))
	if r.from = s.missed.unfetched(r.from); r.from.IsZero() || !r.from.Before(r.to) {
		close(ended)
		return ended
	}
	s.fetching = true
	s.life.run(ctx, func(ctx context.Context) {
		defer close(ended)
		s.fetch(ctx, r)
	})
	return ended
}

// report has a change of the gaps survive this process, and tells the connection of it.
func (s *stream) report(ctx context.Context, changed *messages.GapsChanged) {
	if changed != nil {
		s.save(ctx)
		s.life.tell(changed)
	}
}

// save writes the record. Without it less is known after a restart, which costs repeats and not frames.
func (s *stream) save(ctx context.Context) {
	if err := s.missed.save(ctx, s.Store, s.spec.ID); err != nil && ctx.Err() == nil {
		s.log.Warn().Str("actor", nsReaderName).Err(err).Msg("it is not recorded how far the Network Server was heard")
	}
}

// fresh is frames without those that are stored already. It costs nothing while no replay is under way.
func (s *stream) fresh(ctx context.Context, frames []dataapi.Frame) []dataapi.Frame {
	size := 0
	for i := range frames {
		size += len(frames[i].Raw)
	}
	s.counters.Received.Add(uint64(len(frames)))
	s.counters.ReceivedBytes.Add(uint64(size))
	if s.repeats == nil {
		return frames
	}
	kept := frames[:0]
	for _, f := range frames {
		if f.Envelope.Meta.History {
			s.replayed = f.Received
		}
		if !s.repeats.Seen(f.Raw) {
			kept = append(kept, f)
		}
	}
	s.counters.Duplicates.Add(uint64(len(frames) - len(kept)))
	s.settle(ctx)
	return kept
}

// settle ends the replay when nothing of it has come for long enough.
func (s *stream) settle(ctx context.Context) {
	if s.repeats == nil || s.fetching || time.Since(s.replayed) <= replayQuiet || !s.missed.through(s.frames.Last()) {
		return
	}
	s.repeats = nil
	s.frames.SetReplay(0)
	if closed := s.missed.closeGaps(gapEvicted, time.Now()); closed != nil {
		s.life.tell(closed)
	}
	s.save(ctx)
	s.life.tell(streamReplayed{s})
}

// look is taken at a session from time to time: one that brings nothing is heard all the same.
func (s *stream) look(ctx context.Context) {
	s.merging.Lock()
	defer s.merging.Unlock()
	s.settle(ctx)
	if time.Since(s.arrived) >= quietEnough {
		s.missed.hear(time.Now())
	}
	if s.missed.unsaved() >= heardInterval {
		s.save(ctx)
	}
}

// keepHeard brings the record up to date when a session ends.
func (s *stream) keepHeard(ctx context.Context) {
	if s.missed.unsaved() < lookInterval {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordGrace)
	defer cancel()
	s.save(ctx)
}

// room is how many of so many frames may be appended now. What is live evicts the oldest frames when the buffer is full,
// delivered or not; a replay that did would only have to fetch those in turn. It waits until the broker has taken
// some, and so does the session: the backlog stays with the Network Server.
func (s *stream) room(ctx context.Context, frames int) (int, error) {
	for s.repeats != nil {
		last := s.frames.Last()
		if room := s.Store.Room(last - min(s.floor.load().Number, last)); room > 0 {
			return min(frames, room), nil
		}
		if !pause(ctx, roomInterval) {
			return 0, ctx.Err()
		}
	}
	return frames, nil
}
