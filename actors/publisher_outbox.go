package actors

import (
	"context"
	"errors"
	"sync"

	"github.com/lorry-mqtt/lorry/internal/broker"
)

// outbox is what the publisher has handed to its session and the session has not published yet, in order: at most a
// window of messages. Publishing may block, so it is done by a goroutine, which is there as long as anything waits:
// most sessions are idle, and an idle one needs none.
type outbox struct {
	mu      sync.Mutex
	waiting [][]broker.Message
	working bool // the goroutine runs; it stays so after a failure
}

// add takes messages and reports whether the goroutine has to be started.
func (o *outbox) add(messages []broker.Message) (start bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = append(o.waiting, messages)
	start, o.working = !o.working, true
	return start
}

// take returns what waits, for the goroutine; without anything the goroutine is over.
func (o *outbox) take() [][]broker.Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	taken := o.waiting
	o.waiting, o.working = nil, len(taken) > 0
	return taken
}

// hand has the session publish messages, in the order in which they are handed over.
func (s *session) hand(life *incarnation, messages []broker.Message) {
	if s.out.add(messages) {
		life.run(s.ctx, func(context.Context) { s.publish(life) })
	}
}

// publish publishes what waits until there is no more, or the session ends.
func (s *session) publish(life *incarnation) {
	for {
		batches := s.out.take()
		if len(batches) == 0 {
			return
		}
		for _, batch := range batches {
			for i := range batch {
				s.note(life, batch[i].Seq, false)
				if err := s.broker.Publish(batch[i]); err != nil {
					if !errors.Is(err, broker.ErrSessionClosed) { // else Lost says why
						life.tell(sessionEnded{s, err})
					}
					return
				}
			}
		}
	}
}
