package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/messages"
)

// missedRecorded is the report that what was evicted will be fetched again even after a restart, or that this could not
// be written.
type missedRecorded struct {
	shared *shared
	err    error
}

// recordRetry is the pause after a record of evicted frames could not be written.
const recordRetry = time.Second

// framesEvicted has frames that the buffer's limits removed before they were delivered fetched again from the Network
// Server. The cursor stays where it is until that would survive a restart: behind it nobody would look for them. What was
// aside cannot be told by its time, and had missed its time already: it is only reported.
func (c *connectionActor) framesEvicted(ctx actor.Context, m *messages.FramesEvicted) {
	c.state.framesEvicted(m)
	if m.Lane != messages.LaneMain {
		return
	}
	now := time.Now()
	c.shared.missed.evicted(c.passed, m.Last)
	since := unixTime(c.shared.missed.owes())
	if changed := c.shared.missed.gap(buffer.Gap{Since: since, Until: now, Types: allTypes, Reason: gapEvicted}); changed != nil {
		c.state.gapsChanged(changed)
	}
	c.unrecorded++
	c.recordMissed()
	send(ctx, c.pid(nsReaderName), &messages.FetchMissed{})
}

// recordMissed writes down what is owed.
func (c *connectionActor) recordMissed() {
	shared := c.shared
	c.life.run(c.life.ctx, func(ctx context.Context) {
		err := shared.missed.save(ctx, shared.Store, shared.spec.ID)
		for err != nil && pause(ctx, recordRetry) {
			err = shared.missed.save(ctx, shared.Store, shared.spec.ID)
		}
		c.life.tell(missedRecorded{shared, err})
	})
}

// missedWasRecorded lets the cursor go on.
func (c *connectionActor) missedWasRecorded(m missedRecorded) {
	if m.shared != c.shared || m.err != nil {
		return
	}
	if c.unrecorded--; c.unrecorded == 0 && c.held != nil {
		c.cursor.moved(c.life, *c.held)
		c.held = nil
	}
}

// floorMoved has the cursor follow.
func (c *connectionActor) floorMoved(m *messages.FloorMoved) {
	c.passed = m.Cursor
	c.shared.missed.delivered(m.Cursor.Number)
	c.lookAtReplay()
	if c.unrecorded > 0 {
		c.held = &m.Cursor
		return
	}
	c.cursor.moved(c.life, m.Cursor)
}
