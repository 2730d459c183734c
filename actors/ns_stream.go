package actors

import (
	"context"
	"errors"
	"time"

	"github.com/lorry-mqtt/lorry/internal/backoff"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source"
	"github.com/lorry-mqtt/lorry/messages"
)

const (
	// replayMargin is by how much the Network Server is asked for more than what was missed: meta.time is not
	// monotonic across types.
	replayMargin = time.Minute
	// replayQuiet is how long no replayed frame may have come for the replay to count as over. The Network
	// Server does not say when it is.
	replayQuiet = 2 * time.Minute
)

// stream is one attempt at a session with the Network Server, from before its dial to its end, as the reader's
// goroutine follows it.
type stream struct {
	*shared
	life      *incarnation
	cancel    context.CancelFunc
	downlinks chan *messages.ForwardDownlink // to be written; the reader puts one at a time
	ended     chan struct{}                  // closed when nothing is appended any more

	session source.Session // the reader's: set when it is reported open
	opened  time.Time

	repeats  *source.Repeats // while a replay may bring known frames
	replayed time.Time       // when the last replayed frame came
	warned   map[source.DiscardReason]bool
}

// follow dials, and stores what comes until the session ends or ctx does. It returns why.
func (s *stream) follow(ctx context.Context) error {
	s.appending.Lock() // a stream of the reader's last incarnation may be ending still
	defer s.appending.Unlock()
	options, err := s.resume(ctx)
	if err != nil {
		return err
	}
	session, err := s.DialSource(ctx, options)
	if err != nil {
		return err
	}
	defer session.Close() //nolint:errcheck // always nil
	s.life.tell(streamOpened{stream: s, session: session, replaying: s.repeats != nil})
	writer, stop := context.WithCancel(ctx)
	defer stop()
	s.life.run(writer, func(ctx context.Context) { s.writeDownlinks(ctx, session) })
	for {
		frames, err := session.Read(ctx)
		if err != nil {
			return err
		}
		if frames = s.fresh(frames); len(frames) == 0 {
			continue
		}
		if err := s.store(ctx, frames); err != nil {
			return err
		}
	}
}

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
	options.From = time.UnixMicro(int64(from * 1e6))
	s.repeats, s.replayed = source.NewRepeats(source.MaxRepeats), time.Now()
	pos, err := s.frames.FromTime(ctx, from)
	if err != nil {
		return options, err
	}
	for {
		batches, err := s.frames.ReadAfter(ctx, pos)
		if err != nil || len(batches) == 0 {
			return options, err
		}
		for _, b := range batches {
			for i := range b.Frames {
				s.repeats.Seen(b.Frames[i].Raw)
			}
			pos = b.At(b.Last())
		}
	}
}

// fresh is frames without those that are stored already. It costs nothing while no replay is under way.
func (s *stream) fresh(frames []dataapi.Frame) []dataapi.Frame {
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
	if time.Since(s.replayed) > replayQuiet {
		s.repeats = nil
		s.missed.through()
		s.frames.SetReplay(0)
		s.life.tell(streamReplayed{s})
	}
	return kept
}

// store appends frames and hands them to the feed. While the buffer cannot be written it tries again: the
// session is not read meanwhile, so that the backlog stays with the Network Server.
func (s *stream) store(ctx context.Context, frames []dataapi.Frame) error {
	failures := backoff.New()
	for len(frames) > 0 {
		// An append is never cut short: it would not be known whether it was stored, and the next one would take
		// what is there for another writer's.
		batch, err := s.frames.Append(context.WithoutCancel(ctx), frames)
		if err != nil {
			if errors.Is(err, buffer.ErrFenced) {
				s.life.tell(&messages.BufferFenced{Err: err})
				return err
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.life.tell(&messages.BufferChanged{Child: nsReaderName, Err: err})
			if !pause(ctx, failures.Failed(0)) {
				return ctx.Err()
			}
			continue
		}
		s.behind.appended(batch.Frames[0].Received)
		s.counters.Stored.Add(uint64(len(batch.Frames)))
		s.feed.Stored(batch)
		if requests := requestsIn(batch); requests != nil {
			s.life.tell(&messages.RequestsStored{Requests: requests})
		}
		frames = frames[len(batch.Frames):]
		if err := s.frames.Trim(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn().Str("actor", nsReaderName).Err(err).Msg("the buffer holds more frames than its bound")
		}
		if failures.Attempt() > 0 {
			failures.Reset()
			s.life.tell(&messages.BufferChanged{Child: nsReaderName})
		}
	}
	return nil
}

// discarded counts what the Network Server sent and is no frame. Each kind is warned of once a session.
func (s *stream) discarded(d source.Discard) {
	s.counters.FramesDiscarded.Add(string(d.Reason), 1)
	event := s.log.Debug()
	if !s.warned[d.Reason] {
		event = s.log.Warn()
		s.warned[d.Reason] = true
	}
	event.Str("actor", nsReaderName).Str("reason", string(d.Reason)).Int64("bytes", d.Size).AnErr("cause", d.Err).
		Msg("the Network Server sent what is no Data API message")
	s.log.Trace().Str("actor", nsReaderName).Bytes("head", d.Head).Msg("beginning of the discarded message")
}

// writeDownlinks sends what the reader hands over, and reports each.
func (s *stream) writeDownlinks(ctx context.Context, session source.Session) {
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-s.downlinks:
			s.life.tell(downlinkWritten{d, session.Write(ctx, d.Payload)})
		}
	}
}

// requestsIn are the batch's downlink_requests that have not expired, each as a batch of its own.
func requestsIn(b buffer.Batch) (requests []buffer.Batch) {
	for i := range b.Frames {
		if f := &b.Frames[i]; f.Envelope.Type == dataapi.DownlinkRequest && !f.Expired(time.Now()) {
			requests = append(requests, buffer.Batch{First: b.First + uint64(i), Seq: b.Seq, Frames: b.Frames[i : i+1]})
		}
	}
	return requests
}
