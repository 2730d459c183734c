package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/messages"
)

// maxCachedTopics bounds the topics kept as strings, one for each device and type that is active.
const maxCachedTopics = 4096

// topicRouter reads the connection's frames from the buffer as far as the publisher has granted credit, and
// gives each its topic. What cannot wait for its turn it sends ahead (topic_router_ahead.go), what has missed its time
// it sets aside (topic_router_aside.go).
type topicRouter struct {
	*shared
	life     *incarnation
	peers    peers
	run      *delivery
	requests []request         // that may have to overtake the backlog
	topics   map[string]string // by their own bytes: one allocation for each distinct topic
	buf      []byte

	failing bool // the buffer could not be read, in this delivery or one before
}

// delivery is one run of frames to one session of the publisher.
type delivery struct {
	run    uint64
	credit *credit
	cancel context.CancelFunc
	read   uint64  // the last frame of the log that was sent to the publisher
	ahead  numbers // frames of the log that were sent ahead of their turn, which they have not had
}

// framesRead is a delivery's report of frames that are next.
type framesRead struct {
	run     uint64
	lane    messages.Lane
	batch   buffer.Batch
	settled []uint64 // not to be published
}

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
		r.start(ctx, m)
	case *messages.GrantCredit:
		r.grant(ctx, m)
	case *messages.StopDelivery:
		if r.run != nil && r.run.run == m.Run {
			r.run.cancel()
		}
	case *messages.RequestsStored:
		r.stored(ctx, m)
	case *messages.ResendParked:
		r.resend(ctx.Sender(), m.Seq)
	case framesRead:
		r.read(ctx, m)
	case *messages.FramesEvicted:
		ctx.Send(ctx.Parent(), m)
	case *messages.BufferChanged:
		r.failing = true
		ctx.Send(ctx.Parent(), m)
	case *messages.BufferFenced:
		ctx.Send(ctx.Parent(), m)
	case *actor.Stopping:
		r.life.end()
	}
}

// start ends the delivery before and begins another.
func (r *topicRouter) start(actorCtx actor.Context, m *messages.StartDelivery) {
	if r.run != nil {
		r.run.cancel()
	}
	ctx, cancel := context.WithCancel(r.life.ctx)
	d := &delivery{run: m.Run, credit: newCredit(m.Credit), cancel: cancel, read: m.After.Number}
	r.run = d
	r.life.run(ctx, func(ctx context.Context) {
		r.reading.Lock() // the delivery before may be ending still
		defer r.reading.Unlock()
		r.deliver(ctx, d, m.After, m.Aside)
	})
	r.overtake(actorCtx)
}

func (r *topicRouter) grant(ctx actor.Context, m *messages.GrantCredit) {
	if r.run != nil && r.run.run == m.Run {
		r.run.credit.add(m.Frames)
		r.overtake(ctx)
	}
}

// read passes on the frames that are next.
func (r *topicRouter) read(ctx actor.Context, m framesRead) {
	if r.failing {
		r.failing = false
		ctx.Send(ctx.Parent(), &messages.BufferChanged{Child: topicRouterName})
	}
	if r.run.run != m.run {
		return
	}
	if m.lane == messages.LaneMain {
		r.run.read = m.batch.Last()
	}
	send(ctx, r.peers.publisher, &messages.FramesRouted{
		Run: m.run, Lane: m.lane, Batch: m.batch, Topics: r.route(m.batch), Settled: m.settled,
	})
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
