package actors

import (
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/messages"
)

const (
	// overtakeAge is how old the backlog must be for downlink_requests to overtake it. While a connection keeps up, no
	// frame waits so long, and all keep their order.
	overtakeAge = 500 * time.Millisecond
	// maxRequests bounds the requests that are kept for overtaking; the oldest go first, and wait for their turn.
	maxRequests = 256
)

// request is a downlink_request that has not had its turn.
type request struct {
	batch buffer.Batch // it alone
	run   uint64       // in which it was sent ahead; 0: in none
}

// stored takes note of requests that were stored.
func (r *topicRouter) stored(ctx actor.Context, m *messages.RequestsStored) {
	for _, batch := range m.Requests {
		r.requests = append(r.requests, request{batch: batch})
	}
	if n := len(r.requests) - maxRequests; n > 0 {
		r.requests = append(r.requests[:0], r.requests[n:]...)
	}
	r.overtake(ctx)
}

// overtake sends the publisher the requests that would otherwise wait behind a backlog, once in each run, and forgets
// those that have had their turn or have expired: the device's receive window does not wait.
func (r *topicRouter) overtake(ctx actor.Context) {
	if r.run == nil || len(r.requests) == 0 {
		return
	}
	catchingUp, now := r.behind.age() > overtakeAge, time.Now()
	waiting := r.requests[:0]
	for _, q := range r.requests {
		if q.batch.First <= r.run.read || q.batch.Frames[0].Expired(now) {
			continue
		}
		if catchingUp && q.run != r.run.run && r.peers.publisher != nil {
			q.run = r.run.run
			r.run.ahead.add(q.batch.First)
			ctx.Send(r.peers.publisher, &messages.FramesRouted{
				Run: q.run, Lane: messages.LaneAhead, Batch: q.batch, Topics: r.route(q.batch),
			})
		}
		waiting = append(waiting, q)
	}
	clear(r.requests[len(waiting):])
	r.requests = waiting
}

// numbers is a set of frames that two goroutines share.
type numbers struct {
	mu  sync.Mutex
	set map[uint64]struct{}
}

func (s *numbers) add(n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set == nil {
		s.set = map[uint64]struct{}{}
	}
	s.set[n] = struct{}{}
}

// take removes a number and reports whether it was there.
func (s *numbers) take(n uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.set[n]
	delete(s.set, n)
	return there
}
