package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/messages"
)

// resourcesOpened is the report of what a connection has found in the store.
type resourcesOpened struct {
	log      *buffer.Log
	aside    *buffer.Aside
	moved    []uint64 // frames of the log that are aside
	cursor   buffer.Cursor
	source   buffer.Source
	recorded uint64 // its revision
	revision uint64
	begins   bool // there was no cursor: the connection is new, and its cursor's time is ours
	err      error
}

// openResources takes the connection's cursor over, so that an owner before this one can no longer move it,
// and finds the end of its buffer.
func (c *connectionActor) openResources() {
	life, deps, id := c.life, c.deps, c.spec.ID
	life.run(life.ctx, func(ctx context.Context) {
		if deps.openings.Take(ctx) != nil {
			return
		}
		defer deps.openings.Leave()
		var opened resourcesOpened
		opened.cursor, opened.revision, opened.err = deps.Cursors.Load(ctx, id)
		if opened.err == nil {
			if opened.begins = opened.revision == 0; opened.begins {
				opened.cursor.Time = unixSeconds(time.Now())
			}
			opened.cursor.Epoch++
			opened.revision, opened.err = deps.Cursors.Save(ctx, id, opened.cursor, opened.revision)
		}
		if opened.err == nil {
			opened.source, opened.recorded, opened.err = deps.Store.LoadSource(ctx, id)
		}
		if opened.err == nil {
			opened.log, opened.err = deps.Store.OpenLog(ctx, id, opened.cursor.Number)
		}
		if opened.err == nil {
			opened.aside, opened.moved, opened.err = deps.Store.OpenAside(ctx, id, opened.cursor.Aside)
		}
		life.tell(opened)
	})
}

// opened starts the children.
func (c *connectionActor) opened(ctx actor.Context, m resourcesOpened) {
	if c.draining {
		c.drainStep(ctx)
		return
	}
	if m.err != nil {
		c.state.bufferChanged(&messages.BufferChanged{Child: "connection", Err: m.err})
		c.state.set(telemetry.Backoff, m.err)
		c.life.after(c.opening.Failed(0), reopen{})
		return
	}
	c.state.bufferChanged(&messages.BufferChanged{Child: "connection"})
	shared, err := plan(c.spec, c.deps)
	if err != nil {
		panic(err) // it has been made of the same configuration before
	}
	shared.books = c.open(m)
	c.state.current.Gaps = m.source.Gaps
	c.shared, c.openedAt = shared, time.Now()
	c.lookAtReplay()
	c.unrecorded, c.held = 0, nil
	c.cursor = newCursorKeeper(c.deps.Cursors, c.spec.ID, m.cursor, m.revision)
	c.resume()
	for _, child := range childActors {
		if c.paused && forBroker(child.name) {
			continue
		}
		c.start(ctx, child.name, child.name, func() *actor.Props {
			shared := c.shared // as it is when the child is started, perhaps again
			return actor.PropsFromProducer(func() actor.Actor {
				return shared.replace(shared.spec.ID, child.name, child.make(shared))
			})
		})
	}
	c.introduce(ctx)
}

// open makes the books of what was opened.
func (c *connectionActor) open(m resourcesOpened) *books {
	b := &books{frames: m.log, feed: buffer.NewFeed(m.log), framesAside: m.aside, moved: map[uint64]struct{}{}}
	for _, number := range m.moved {
		b.moved[number] = struct{}{}
	}
	b.missed.margin, b.missed.unsynced = time.Duration(c.spec.Source.ReplayMargin), c.deps.Unsynced
	b.missed.begin(m.cursor.Time, m.begins, m.log.Replay(), m.source, m.recorded)
	floor := c.floor(m)
	b.floor.store(floor)
	c.passed = floor
	if floor.Number < m.log.Last() {
		b.behind.since(time.Now())
	}
	if c.shared != nil {
		c.shared.watched.forget()
	}
	b.watched = c.deps.watch.see(c.life, b, c.state.counters)
	return b
}

// floor is where delivery goes on: at the stored cursor, or further if the children before this opening have seen
// PUBACKs since it was stored.
func (c *connectionActor) floor(m resourcesOpened) buffer.Cursor {
	floor := m.cursor
	if c.shared == nil {
		return floor
	}
	known := c.shared.floor.load()
	if known.Number > floor.Number && known.Number <= m.log.Last() {
		floor.Position, floor.Time, floor.Settled = known.Position, known.Time, known.Settled
	}
	if known.Aside.Number > floor.Aside.Number && known.Aside.Number <= m.aside.Last() {
		floor.Aside = known.Aside
	}
	return floor
}
