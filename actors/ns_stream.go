package actors

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lorry-mqtt/lorry/internal/backoff"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source"
	"github.com/lorry-mqtt/lorry/messages"
)

// stream is one attempt at a session with the Network Server, from before its dial to its end, as the reader's
// goroutine follows it.
type stream struct {
	*shared
	life   *incarnation
	ctx    context.Context // of everything that is done for it
	cancel context.CancelFunc
	ended  chan struct{} // closed when nothing is appended any more

	session source.Session // the reader's: set when it is reported open
	opened  time.Time

	warned  map[source.DiscardReason]bool
	arrived time.Time // when the session last brought frames

	merging  sync.Mutex      // held by whoever appends, of the two that bring frames: the session and the REST history
	repeats  *source.Repeats // while a replay may bring known frames
	replayed time.Time       // when the last replayed frame came
	fetching bool            // the REST history is being read
}

// lookInterval is how often a session that brings nothing is looked at, and quietEnough how long it must have brought
// nothing then to be called quiet.
const (
	lookInterval = time.Minute
	quietEnough  = 10 * time.Second
)

// begin dials, and has a goroutine of its own follow the session: what dialling needs of a stack is given back.
func (s *stream) begin(ctx context.Context) {
	s.appending.Lock() // a stream of the reader's last incarnation may be ending still
	handedOn := false
	defer func() {
		if !handedOn {
			s.finish()
		}
	}()
	session, err := s.open(ctx)
	if err != nil {
		s.life.tell(streamEnded{s, err})
		return
	}
	handedOn = true
	s.life.run(ctx, func(ctx context.Context) {
		defer s.finish()
		s.life.tell(streamEnded{s, s.follow(ctx, session)})
	})
}

// finish says that nothing is appended any more.
func (s *stream) finish() {
	s.appending.Unlock()
	s.cancel()
	close(s.ended)
}

// open dials.
func (s *stream) open(ctx context.Context) (source.Session, error) {
	options, err := s.resume(ctx)
	if err != nil {
		return nil, err
	}
	return s.DialSource(ctx, options)
}

// follow stores what comes until the session ends or ctx does. It returns why.
func (s *stream) follow(ctx context.Context, session source.Session) error {
	defer session.Close() //nolint:errcheck // always nil
	s.life.tell(streamOpened{stream: s, session: session, replaying: s.repeats != nil})
	work, stop := context.WithCancel(ctx)
	fetched := s.recover(work)
	defer func() {
		stop()
		<-fetched
		s.keepHeard(ctx)
	}()
	s.arrived = time.Now()
	for {
		if err := s.receive(ctx, session); err != nil {
			return err
		}
		s.look(ctx)
	}
}

// receive stores what the session brings, for as long as the session is not looked at. An error is the session's end.
func (s *stream) receive(ctx context.Context, session source.Session) error {
	watch, done := context.WithTimeout(ctx, lookInterval)
	defer done()
	for {
		frames, err := session.Read(watch)
		switch {
		case err == nil:
		case ctx.Err() == nil && watch.Err() != nil && errors.Is(err, watch.Err()):
			return nil
		default:
			return err
		}
		err = s.merge(ctx, frames)
		s.arrived = time.Now()
		if err != nil {
			return err
		}
	}
}

// merge stores what is new of frames that the session or the REST history brings.
func (s *stream) merge(ctx context.Context, frames []dataapi.Frame) error {
	s.merging.Lock()
	defer s.merging.Unlock()
	for len(frames) > 0 {
		n, err := s.room(ctx, len(frames))
		if err != nil {
			return err
		}
		if err := s.admit(ctx, frames[:n:n]); err != nil {
			return err
		}
		frames = frames[n:]
	}
	return nil
}

// admit stores those of the frames that are not known.
func (s *stream) admit(ctx context.Context, frames []dataapi.Frame) error {
	stored := false
	defer func() {
		if !stored {
			s.missed.forget() // after a panic, too: what was not stored must not be taken for known
		}
	}()
	err := s.store(ctx, s.fresh(ctx, frames))
	stored = err == nil
	return err
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
		s.watched.stir()
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
	s.watched.stir()
	event := s.log.Debug()
	if !s.warned[d.Reason] {
		event = s.log.Warn()
		s.warned[d.Reason] = true
	}
	event.Str("actor", nsReaderName).Str("reason", string(d.Reason)).Int64("bytes", d.Size).AnErr("cause", d.Err).
		Msg("the Network Server sent what is no Data API message")
	s.log.Trace().Str("actor", nsReaderName).Bytes("head", d.Head).Msg("beginning of the discarded message")
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
