package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/backoff"
	"github.com/lorry-mqtt/lorry/internal/source"
	"github.com/lorry-mqtt/lorry/messages"
)

// nsReader keeps a session with the Network Server, stores what it brings, and sends downlinks to it.
type nsReader struct {
	*shared
	life    *incarnation
	peers   peers
	backoff *backoff.Backoff
	stream  *stream // the attempt or session under way, or the last one

	downlinks []*messages.ForwardDownlink // waiting, oldest first
	writing   bool                        // the first of them is being written
	expiry    *time.Timer                 // for the first of them

	refetching bool      // a session is to begin anew for what was evicted
	refetchAt  time.Time // before which it does not: evictions come in a row
	reopening  bool      // the stream was ended for that

	draining bool
}

// refetchDelay is how long evictions are waited for before a session begins anew, and refetchEvery how long it then
// lasts at least.
const (
	refetchDelay = time.Second
	refetchEvery = 30 * time.Second
)

// Reports of the reader's goroutines and timers.
type (
	// streamOpened says that the session is there; replaying, that a history comes with it.
	streamOpened struct {
		stream    *stream
		session   source.Session
		replaying bool
	}
	// streamReplayed says that the history seems to be through.
	streamReplayed struct{ stream *stream }
	streamEnded    struct {
		stream *stream
		err    error
	}
	redial          struct{}
	refetch         struct{}
	downlinkWritten struct {
		downlink *messages.ForwardDownlink
		err      error
	}
	downlinksExpired struct{}
)

func newNSReader(s *shared) actor.Actor {
	return &nsReader{shared: s, backoff: backoff.New()}
}

// Receive implements actor.Actor.
func (r *nsReader) Receive(ctx actor.Context) {
	defer withStack()
	switch m := r.life.open(ctx.Message()).(type) {
	case *actor.Started:
		r.life = newIncarnation(ctx, r.Running)
		r.dial(ctx)
	case redial:
		r.dial(ctx)
	case streamOpened:
		r.opened(ctx, m)
	case streamReplayed:
		if m.stream == r.stream {
			ctx.Request(ctx.Parent(), &messages.SourceChanged{State: messages.SourceStreaming})
		}
	case streamEnded:
		r.ended(ctx, m)
	case *messages.BufferChanged, *messages.BufferFenced, *messages.GapsChanged, *messages.HistoryChanged:
		ctx.Send(ctx.Parent(), m)
	case *peers:
		r.peers = *m
	case *messages.RequestsStored:
		send(ctx, r.peers.topicRouter, m)
	case *messages.FetchMissed:
		r.fetchMissed()
	case refetch:
		r.refetch()
	case *messages.ForwardDownlink:
		r.forward(m)
	case downlinkWritten:
		r.written(m)
	case downlinksExpired:
		r.expire()
	case *messages.Drain:
		r.drain(ctx)
	case *actor.Stopping:
		r.discardAll(discardShutdown)
		r.life.end()
	}
}

// dial begins a session: one attempt, whose outcome is reported.
func (r *nsReader) dial(ctx actor.Context) {
	if r.draining {
		return
	}
	ctx.Request(ctx.Parent(), &messages.SourceChanged{State: messages.SourceConnecting})
	streamCtx, cancel := context.WithCancel(r.life.ctx)
	s := &stream{shared: r.shared, life: r.life, ctx: streamCtx, cancel: cancel, ended: make(chan struct{})}
	r.stream = s
	r.life.run(streamCtx, s.begin)
}

func (r *nsReader) opened(ctx actor.Context, m streamOpened) {
	if m.stream != r.stream {
		return
	}
	r.stream.session, r.stream.opened = m.session, time.Now()
	state := messages.SourceStreaming
	if m.replaying {
		state = messages.SourceReplaying
	}
	ctx.Request(ctx.Parent(), &messages.SourceChanged{State: state})
	r.write()
}

func (r *nsReader) ended(ctx actor.Context, m streamEnded) {
	if m.stream != r.stream {
		return
	}
	up := time.Duration(0)
	if m.stream.session != nil {
		up = time.Since(m.stream.opened)
		m.stream.session = nil
	}
	r.writing = false
	r.armExpiry() // for the one that was not written
	if r.draining {
		ctx.Send(ctx.Parent(), &messages.Drained{Child: nsReaderName})
		return
	}
	if r.reopening {
		r.reopening = false
		r.dial(ctx)
		return
	}
	delay := r.backoff.Failed(up)
	r.counters.SourceReconnects.Add(sourceCause(m.err), 1)
	ctx.Request(ctx.Parent(), &messages.SourceChanged{State: messages.SourceBackoff, RetryAt: time.Now().Add(delay), Err: m.err})
	r.life.after(delay, redial{})
}

// fetchMissed has a new session begin, which asks for what was evicted: the one under way would take it for known.
func (r *nsReader) fetchMissed() {
	if r.refetching {
		return
	}
	r.refetching = true
	r.life.after(max(refetchDelay, time.Until(r.refetchAt)), refetch{})
}

// refetch ends the session. One that waits for its backoff asks for what is owed without that.
func (r *nsReader) refetch() {
	r.refetching = false
	if !r.missed.unasked() {
		return // a session has begun meanwhile
	}
	r.refetchAt = time.Now().Add(refetchEvery)
	select {
	case <-r.stream.ended:
	default:
		r.reopening = true
		r.stream.cancel()
	}
}

// drain reads nothing more; what was received is stored. Drained follows when the stream has ended.
func (r *nsReader) drain(ctx actor.Context) {
	r.draining = true
	r.discardAll(discardShutdown)
	r.stream.cancel()
	select {
	case <-r.stream.ended: // in backoff: there is no report to come
		ctx.Send(ctx.Parent(), &messages.Drained{Child: nsReaderName})
	default:
	}
}
