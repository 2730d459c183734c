package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/messages"
)

// drain ends the connection in good order: first nothing new comes in, then what is in flight is waited for,
// then the cursor is saved.
func (c *connectionActor) drain(ctx actor.Context, m *messages.Drain) {
	if c.draining {
		return
	}
	c.draining = true
	c.life.after(max(0, time.Until(m.Deadline)), drainIsOver{})
	c.drainStep(ctx)
}

func (c *connectionActor) drainStep(ctx actor.Context) {
	if !c.draining {
		return
	}
	for _, name := range []string{nsReaderName, publisherName} {
		if pid := c.pid(name); pid != nil && !c.drained[name] {
			ctx.Send(pid, &messages.Drain{})
			return
		}
	}
	if c.cursor == nil || c.cursor.flush(c.life) {
		ctx.Stop(ctx.Self())
	}
}
