package actors

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/eventlog"
	"github.com/lorry-mqtt/lorry/messages"
)

// affected lists the children that work from what differs between two configurations, in the order in which they are
// started.
func affected(before, after connection.Spec) (children []string) {
	type pair struct{ before, after any }
	differ := func(pairs ...pair) bool {
		return slices.ContainsFunc(pairs, func(p pair) bool { return !reflect.DeepEqual(p.before, p.after) })
	}
	if differ(pair{before.TopicUp, after.TopicUp}, pair{before.Downlink.ExpiredRequests, after.Downlink.ExpiredRequests}) {
		children = append(children, topicRouterName)
	}
	// A new topic_down needs a new session: the old subscription goes with the old one.
	if differ(pair{before.URI, after.URI}, pair{before.MQTT, after.MQTT}, pair{before.TLS, after.TLS},
		pair{before.WebSocket, after.WebSocket}, pair{before.TopicDown, after.TopicDown}) {
		children = append(children, publisherName, subscriberName)
	}
	if differ(pair{before.Filter, after.Filter}, pair{before.Source, after.Source}, pair{before.Downlink.MaxWait, after.Downlink.MaxWait}) {
		children = append(children, nsReaderName)
	}
	return children
}

// update has the connection work from another configuration, of which it restarts the affected children only. While
// nothing is open yet it is enough to know it.
func (c *connectionActor) update(ctx actor.Context, spec connection.Spec) {
	before := c.spec
	c.spec = spec
	if c.shared == nil || c.closing || c.draining {
		return
	}
	shared, err := plan(spec, c.deps)
	if err != nil {
		panic(err) // the node has made it of the same configuration before
	}
	shared.books = c.shared.books
	shared.missed.ask(time.Duration(spec.Source.ReplayMargin))
	c.shared = shared
	children := affected(before, spec)
	for _, name := range children {
		c.exchange(ctx, name)
	}
	c.state.updated(children)
}

// exchange has a child's place taken by another one, which works from what is shared now. Those with something under way
// finish it first, for as long as a replaced connection may.
func (c *connectionActor) exchange(ctx actor.Context, name string) {
	child := c.children[name]
	if child == nil || child.pid == nil {
		return // paused, or failed: the next one is made of what is shared then
	}
	child.exchanged = true
	if name != publisherName && name != nsReaderName {
		ctx.Stop(child.pid)
		return
	}
	ctx.Send(child.pid, &messages.Drain{})
	c.life.after(replaceGrace, exchangeIsOver{child.pid})
}

// exchangeIsOver is the report that a child is not waited for any longer.
type exchangeIsOver struct{ pid *actor.PID }

// finished stops a child that is exchanged and has nothing under way any more, and reports whether it is one.
func (c *connectionActor) finished(ctx actor.Context, name string) bool {
	child := c.children[name]
	if c.draining || child == nil || !child.exchanged {
		return false
	}
	if child.pid != nil {
		ctx.Stop(child.pid)
	}
	return true
}

// giveUp stops a child that has not finished in time.
func (c *connectionActor) giveUp(ctx actor.Context, m exchangeIsOver) {
	if name, child := c.find(m.pid); child != nil && !c.draining {
		c.finished(ctx, name)
	}
}

func (s *state) updated(children []string) {
	what := "nothing"
	if len(children) > 0 {
		what = strings.Join(slices.Sorted(slices.Values(children)), ", ")
	}
	s.log.Info().Str("restarted", what).Msg("the configuration has changed")
	s.event(eventlog.Info, eventlog.Requested, "the configuration has changed; restarted: "+what, nil)
}
