package actors

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/messages"
)

const (
	// replaceGrace is how long a connection that is replaced or removed may wait for its PUBACKs.
	replaceGrace = 5 * time.Second
	// statusTimeout bounds how long a connection may take to say how it is.
	statusTimeout = 2 * time.Second
)

// node is the root of the tree: it runs a connection for each configured route.
type node struct {
	supervisor
	deps     *Deps
	life     *incarnation
	specs    map[string]*messages.PutConnection
	waiting  map[string][]*actor.PID // who is told when a connection is gone
	draining *actor.PID              // who is told when all are
}

func newNode(deps *Deps) *node {
	return &node{
		supervisor: newSupervisor(deps.Log, &deps.Metrics.Node.Restarts),
		deps:       deps,
		specs:      map[string]*messages.PutConnection{},
		waiting:    map[string][]*actor.PID{},
	}
}

// Receive implements actor.Actor.
func (n *node) Receive(ctx actor.Context) {
	defer withStack()
	switch m := n.life.open(ctx.Message()).(type) {
	case *actor.Started:
		n.life = newIncarnation(ctx, n.deps.Running)
	case *messages.PutConnection:
		n.put(ctx, m)
	case *messages.RemoveConnection:
		n.remove(ctx, m)
	case *messages.RestartConnection:
		n.replace(ctx, m.ID)
		ctx.Respond(&messages.Done{})
	case *messages.CommandConnection:
		n.command(ctx, m)
	case *messages.ListStatus:
		n.listStatus(ctx)
	case *messages.GetConnectionStatus:
		n.connectionStatus(ctx, m.ID)
	case startChild:
		n.spawn(ctx, m.name)
	case *actor.Terminated:
		n.connectionTerminated(ctx, m)
	case *messages.Drain:
		n.drain(ctx, m)
	case *actor.Stopping:
		n.ending = true
		n.life.end()
	}
}

// put starts a connection. One of the same ID is told of its new configuration, or replaced where it could not go on.
func (n *node) put(ctx actor.Context, m *messages.PutConnection) {
	id := m.Spec.ID
	before := n.specs[id]
	n.specs[id] = m
	switch child := n.children[id]; {
	case child == nil || !n.goesOn(before, m):
		n.replace(ctx, id)
	case child.pid != nil && child.wanted && !sameWork(before.Spec, m.Spec):
		ctx.Send(child.pid, &messages.UpdateConnection{Spec: m.Spec})
	}
	ctx.Respond(&messages.Done{})
}

// goesOn reports whether a connection can go from one configuration to the other as it runs.
func (n *node) goesOn(before, after *messages.PutConnection) bool {
	runs := func(m *messages.PutConnection) bool {
		_, err := plan(m.Spec, n.deps)
		return m.Spec.Enabled && err == nil
	}
	return before != nil && before.Paused == after.Paused &&
		(sameWork(before.Spec, after.Spec) || runs(before) && runs(after))
}

// sameWork reports whether two configurations differ in nothing but what they are called.
func sameWork(a, b connection.Spec) bool {
	a.Description, a.Tags = b.Description, b.Tags
	return reflect.DeepEqual(a, b)
}

// replace drains the connection of that ID, if it runs, and has it started as it is configured now when it is gone.
func (n *node) replace(ctx actor.Context, id string) {
	switch child := n.children[id]; {
	case n.specs[id] == nil:
	case child == nil:
		n.startConnection(ctx, id)
	case child.pid != nil:
		child.wanted = false
		ctx.Send(child.pid, &messages.Drain{Deadline: time.Now().Add(replaceGrace)})
	}
}

// startConnection starts the connection of that ID as it is configured now. A node that ends starts none: it
// would wait for that one in vain.
func (n *node) startConnection(ctx actor.Context, id string) {
	if n.draining != nil || n.ending {
		return
	}
	n.start(ctx, id, "connection", func() *actor.Props {
		return actor.PropsFromProducer(func() actor.Actor { return newConnection(n.specs[id], n.deps) })
	})
}

// command passes a command on to a connection, which answers the sender.
func (n *node) command(ctx actor.Context, m *messages.CommandConnection) {
	pid := n.pid(m.ID)
	if pid == nil {
		ctx.Respond(&messages.Done{Err: fmt.Errorf("connection %s: %w", m.ID, ErrNotRunning)})
		return
	}
	ctx.RequestWithCustomSender(pid, m.Command, ctx.Sender())
}

func (n *node) remove(ctx actor.Context, m *messages.RemoveConnection) {
	delete(n.specs, m.ID)
	child := n.children[m.ID]
	if child == nil {
		ctx.Respond(&messages.Done{})
		return
	}
	n.waiting[m.ID] = append(n.waiting[m.ID], ctx.Sender())
	child.wanted = false
	if child.pid == nil { // it failed and waits to be started again
		n.gone(ctx, m.ID)
		return
	}
	ctx.Send(child.pid, &messages.Drain{Deadline: time.Now().Add(replaceGrace)})
}

// connectionTerminated has a connection that failed started again, one that was replaced started anew, and
// tells those who wait that one is gone.
func (n *node) connectionTerminated(ctx actor.Context, m *actor.Terminated) {
	name, failure := n.terminated(n.life, m.Who)
	switch {
	case failure != nil:
		n.deps.Metrics.Connection(name).State.Set(telemetry.Backoff)
	case name != "":
		n.gone(ctx, name)
	}
	n.drained(ctx)
}

func (n *node) gone(ctx actor.Context, id string) {
	delete(n.children, id)
	for _, pid := range n.waiting[id] {
		ctx.Send(pid, &messages.Done{})
	}
	delete(n.waiting, id)
	if _, configured := n.specs[id]; configured {
		n.startConnection(ctx, id)
	} else {
		n.deps.Metrics.Remove(id)
	}
}

// connectionStatus has one connection answer for itself.
func (n *node) connectionStatus(ctx actor.Context, id string) {
	switch child := n.children[id]; {
	case child == nil:
		ctx.Respond(messages.Status{})
	case child.pid == nil:
		ctx.Respond(n.failedStatus(id, child))
	default:
		ctx.RequestWithCustomSender(child.pid, &messages.GetStatus{}, ctx.Sender())
	}
}

// listStatus asks every connection and answers when all have, without holding up the node.
func (n *node) listStatus(ctx actor.Context) {
	list := &messages.StatusList{}
	var futures []*actor.Future
	for id, child := range n.children {
		if child.pid != nil {
			futures = append(futures, ctx.RequestFuture(child.pid, &messages.GetStatus{}, statusTimeout))
		} else {
			list.Connections = append(list.Connections, n.failedStatus(id, child))
		}
	}
	root, asker := ctx.ActorSystem().Root, ctx.Sender()
	n.life.run(n.life.ctx, func(context.Context) {
		for _, f := range futures {
			if answer, err := f.Result(); err == nil {
				if status, ok := answer.(messages.Status); ok {
					list.Connections = append(list.Connections, status)
				}
			}
		}
		slices.SortFunc(list.Connections, func(a, b messages.Status) int { return strings.Compare(a.ID, b.ID) })
		root.Send(asker, list)
	})
}

// failedStatus speaks for a connection that has failed and waits to be started again.
func (n *node) failedStatus(id string, child *supervised) messages.Status {
	err := "actor connection failed: " + failureText(child.failure)
	return messages.Status{
		ID: id, Node: n.deps.Node, State: telemetry.Backoff, Since: child.failedAt,
		Broker: messages.BrokerStatus{
			State: telemetry.Backoff, Since: child.failedAt, Attempt: child.backoff.Attempt(), RetryAt: &child.retryAt, LastError: err,
		},
		Source:   messages.SourceStatus{State: messages.SourceBackoff, Since: child.failedAt, LastError: err},
		Counters: n.deps.Metrics.Connection(id).Snapshot(),
	}
}

// drain has all connections end in good order, and the node when they have.
func (n *node) drain(ctx actor.Context, m *messages.Drain) {
	n.draining = ctx.Sender()
	n.deps.Metrics.Node.Draining.Store(1)
	for name, child := range n.children {
		child.wanted = false
		if child.pid == nil {
			delete(n.children, name)
			continue
		}
		ctx.Send(child.pid, m)
	}
	n.drained(ctx)
}

func (n *node) drained(ctx actor.Context) {
	if n.draining != nil && n.running() == 0 {
		ctx.Send(n.draining, &messages.Drained{Child: "node"})
		ctx.Stop(ctx.Self())
	}
}
