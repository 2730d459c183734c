package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/messages"
)

// commandTimeout bounds the node's answer to a command that it carries out at once.
const commandTimeout = 10 * time.Second

// Tree is a running tree of actors, for code that is no actor. Its methods may be called by any goroutine.
type Tree struct {
	system  *actor.ActorSystem
	node    *actor.PID
	running *sync.WaitGroup
	failed  chan error
	unwatch context.CancelFunc // ends the watch over the connections
}

// Start starts a node without connections.
func Start(deps Deps) (*Tree, error) {
	deps.complete()
	t := &Tree{running: &sync.WaitGroup{}, failed: make(chan error, 1)}
	deps.Running = t.running
	t.system = newSystem(deps.Log)
	root := t.system.Root.WithGuardian(guardian{t.failed})
	node, err := root.SpawnNamed(actor.PropsFromProducer(func() actor.Actor { return newNode(&deps) }), "node")
	if err != nil {
		return nil, fmt.Errorf("start the node: %w", err)
	}
	t.node = node
	watching, unwatch := context.WithCancel(context.Background())
	t.unwatch = unwatch
	t.running.Go(func() { deps.watch.run(watching) })
	return t, nil
}

// newSystem makes the actor system. Of protoactor's log only warnings are passed on: its information is what it
// did with which message, and messages hold customers' frames.
func newSystem(log zerolog.Logger) *actor.ActorSystem {
	logger := telemetry.NewSlog(log.Level(max(log.GetLevel(), zerolog.WarnLevel)))
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return logger }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond), // how long its goroutine outlives a dead letter
	)
}

// guardian supervises the node itself. A node that fails has lost its connections' supervision: it is stopped,
// and the process has to end.
type guardian struct{ failed chan<- error }

// HandleFailure implements actor.SupervisorStrategy.
func (g guardian) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	err := errors.New("the node failed: " + failureText(reason))
	if c, ok := reason.(crashed); ok {
		err = fmt.Errorf("%w\n%s", err, c.stack)
	}
	select {
	case g.failed <- err:
	default:
	}
	supervisor.StopChildren(child)
}

// Failed brings an error if the node itself fails, which nothing but a new process can mend.
func (t *Tree) Failed() <-chan error { return t.failed }

// Put starts a connection, or replaces the one of the same ID; what changes nothing of its work restarts nothing.
// The configuration must be valid.
func (t *Tree) Put(spec connection.Spec) error {
	_, err := t.ask(&messages.PutConnection{Spec: spec}, commandTimeout)
	return err
}

// PutPaused is Put of a connection that stores frames and publishes none.
func (t *Tree) PutPaused(spec connection.Spec) error {
	_, err := t.ask(&messages.PutConnection{Spec: spec, Paused: true}, commandTimeout)
	return err
}

// Restart has a connection drain, stop and start anew. It does not wait for that.
func (t *Tree) Restart(id string) error {
	_, err := t.ask(&messages.RestartConnection{ID: id}, commandTimeout)
	return err
}

// StatusOf is what one connection says of itself; without an ID when there is none, or none that answers at once.
func (t *Tree) StatusOf(id string) messages.Status {
	answer, err := t.ask(&messages.GetConnectionStatus{ID: id}, statusTimeout)
	if status, ok := answer.(messages.Status); ok && err == nil {
		return status
	}
	return messages.Status{}
}

// Remove drains and stops a connection. Its buffer and cursor stay.
func (t *Tree) Remove(id string) error {
	_, err := t.ask(&messages.RemoveConnection{ID: id}, replaceGrace+commandTimeout)
	return err
}

// Resend has a connection publish a parked frame again, when nothing else waits: it is parked no longer. The error is
// ErrNotRunning or [buffer.ErrNotParked], or says what failed.
func (t *Tree) Resend(id string, seq uint64) error {
	return t.command(id, &messages.ResendParked{Seq: seq})
}

// Replay has a connection deliver again what is stored of a stretch of time, of the Network Server's clock: when nothing
// else waits, and without a move of its cursor. It returns when that has begun; the error is ErrNotRunning or
// ErrReplaying, or says what failed.
func (t *Tree) Replay(id string, from, to time.Time) error {
	return t.command(id, &messages.ReplayFrames{From: from, To: to})
}

// command has a connection carry out what it answers with Done.
func (t *Tree) command(id string, command any) error {
	answer, err := t.ask(&messages.CommandConnection{ID: id, Command: command}, commandTimeout)
	if err != nil {
		return err
	}
	done, ok := answer.(*messages.Done)
	if !ok {
		return fmt.Errorf("connection %s answered %T", id, answer)
	}
	return done.Err
}

// ErrNotRunning says that a connection cannot carry out a command because it does not run, or is about to end.
var ErrNotRunning = errors.New("it does not run")

// Status is what all connections say of themselves, by ID.
func (t *Tree) Status() ([]messages.Status, error) {
	answer, err := t.ask(&messages.ListStatus{}, commandTimeout)
	if err != nil {
		return nil, err
	}
	list, ok := answer.(*messages.StatusList)
	if !ok {
		return nil, fmt.Errorf("the node answered %T", answer)
	}
	return list.Connections, nil
}

// Stop drains all connections: nothing more is read, PUBACKs are waited for as long as grace, the cursors are
// saved. When it returns without an error, nothing of the tree uses the store any more.
func (t *Tree) Stop(ctx context.Context, grace time.Duration) error {
	_, err := t.ask(&messages.Drain{Deadline: time.Now().Add(grace)}, grace+commandTimeout)
	if err != nil {
		t.system.Root.Stop(t.node)
	}
	t.unwatch()
	ended := make(chan struct{})
	go func() {
		t.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		err = errors.Join(err, errors.New("some work did not end in time"))
	}
	t.system.Shutdown()
	return err
}

func (t *Tree) ask(message any, timeout time.Duration) (any, error) {
	answer, err := t.system.Root.RequestFuture(t.node, message, timeout).Result()
	if err != nil {
		return nil, fmt.Errorf("ask the node (%T): %w", message, err)
	}
	return answer, nil
}
