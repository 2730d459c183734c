package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/backoff"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/messages"
)

// maxCachedTopics bounds the topics kept as strings, one for each device and type that is active.
const maxCachedTopics = 4096

// topicRouter reads the connection's frames from the buffer as far as the publisher has granted credit, and
// gives each its topic.
type topicRouter struct {
	*shared
	life   *incarnation
	peers  peers
	run    *delivery
	topics map[string]string // by their own bytes: one allocation for each distinct topic
	buf    []byte

	failing bool // the buffer could not be read, in this delivery or one before
}

// delivery is one run of frames to one session of the publisher.
type delivery struct {
	run    uint64
	credit *credit
	cancel context.CancelFunc
}

// framesRead is a delivery's report of frames that are next.
type framesRead struct {
	run   uint64
	batch buffer.Batch
}

// framesMissing is a delivery's report of frames that are no longer in the buffer.
type framesMissing struct{ first, last uint64 }

func newTopicRouter(s *shared) actor.Actor {
	return &topicRouter{shared: s, topics: map[string]string{}}
}

// Receive implements actor.Actor.
func (r *topicRouter) Receive(ctx actor.Context) {
	defer withStack()
	switch m := r.life.open(ctx.Message()).(type) {
	case *actor.Started:
		r.life = newIncarnation(ctx, r.Running)
	case *peers:
		r.peers = *m
	case *messages.StartDelivery:
		r.start(m)
	case *messages.GrantCredit:
		if r.run != nil && r.run.run == m.Run {
			r.run.credit.add(m.Frames)
		}
	case *messages.StopDelivery:
		if r.run != nil && r.run.run == m.Run {
			r.run.cancel()
		}
	case framesRead:
		r.read(ctx, m)
	case framesMissing:
		ctx.Send(ctx.Parent(), &messages.FramesEvicted{First: m.first, Last: m.last})
	case *messages.BufferChanged:
		r.failing = true
		ctx.Send(ctx.Parent(), m)
	case *actor.Stopping:
		r.life.end()
	}
}

// start ends the delivery before and begins another.
func (r *topicRouter) start(m *messages.StartDelivery) {
	if r.run != nil {
		r.run.cancel()
	}
	ctx, cancel := context.WithCancel(r.life.ctx)
	d := &delivery{run: m.Run, credit: newCredit(m.Credit), cancel: cancel}
	r.run = d
	r.life.run(ctx, func(ctx context.Context) {
		r.reading.Lock() // the delivery before may be ending still
		defer r.reading.Unlock()
		r.deliver(ctx, d, m.After)
	})
}

// deliver reads the feed from a position on, never more than there is credit for, until ctx ends. It runs in a
// goroutine of its own, since reading waits: for credit, for frames, for the disk.
func (r *topicRouter) deliver(ctx context.Context, d *delivery, pos buffer.Position) {
	failures := backoff.New()
	for {
		n := d.credit.take(ctx)
		if n == 0 {
			return
		}
		batch, err := r.feed.Next(ctx, pos, n)
		if err != nil {
			if ctx.Err() != nil {
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
		if batch.First > pos.Number+1 {
			r.life.tell(framesMissing{first: pos.Number + 1, last: batch.First - 1})
		}
		d.credit.add(n - len(batch.Frames))
		pos = batch.At(batch.Last())
		r.life.tell(framesRead{run: d.run, batch: batch})
	}
}

// read passes on the frames that are next.
func (r *topicRouter) read(ctx actor.Context, m framesRead) {
	if r.failing {
		r.failing = false
		ctx.Send(ctx.Parent(), &messages.BufferChanged{Child: topicRouterName})
	}
	if r.run.run == m.run {
		send(ctx, r.peers.publisher, &messages.FramesRouted{Run: m.run, Batch: m.batch, Topics: r.route(m.batch)})
	}
}

// route expands the topic of each frame.
func (r *topicRouter) route(batch buffer.Batch) []string {
	topics := make([]string, len(batch.Frames))
	for i := range batch.Frames {
		r.buf = r.template.Append(r.buf[:0], &batch.Frames[i].Envelope)
		topic, known := r.topics[string(r.buf)]
		if !known {
			if len(r.topics) == maxCachedTopics {
				clear(r.topics)
			}
			topic = string(r.buf)
			r.topics[topic] = topic
		}
		topics[i] = topic
	}
	return topics
}

// pause waits and reports whether the time has passed before ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
