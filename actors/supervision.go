package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/backoff"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

// supervisor starts an actor's children and starts them again when they failed. It is protoactor's strategy
// for the actor that embeds it: a child that panics is stopped, and only that child; when it is gone
// (Terminated, which a parent hears without watching) it is started again after our own backoff, without end. protoactor's own strategies give up
// after ten failures, or restart at once.
//
// All of it runs inside the owner's Receive.
type supervisor struct {
	log      zerolog.Logger
	restarts *telemetry.Labelled
	children map[string]*supervised // by name
	names    map[string]string      // of the children that run, by the IDs of their PIDs
	ending   bool                   // the owner stops: nobody is started again
}

// supervised is the record of one child.
type supervised struct {
	kind    string // what it is, for logs and metrics
	props   func() *actor.Props
	pid     *actor.PID // nil while it is not running
	since   time.Time
	failure any // why it was stopped; nil if nobody has complained
	// While it is not running: since when, and until when.
	failedAt, retryAt time.Time
	wanted            bool
	exchanged         bool // its end is no failure: another one takes its place at once
	backoff           *backoff.Backoff
}

// startChild asks the owner to start a child again. It is reported by a timer of the owner's.
type startChild struct{ name string }

func newSupervisor(log zerolog.Logger, restarts *telemetry.Labelled) supervisor {
	return supervisor{log: log, restarts: restarts, children: map[string]*supervised{}, names: map[string]string{}}
}

// HandleFailure implements actor.SupervisorStrategy.
func (s *supervisor) HandleFailure(_ *actor.ActorSystem, owner actor.Supervisor, pid *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	if _, child := s.find(pid); child != nil {
		child.failure = reason
	}
	owner.StopChildren(pid)
}

// start adds a child and starts it.
func (s *supervisor) start(ctx actor.Context, name, kind string, props func() *actor.Props) {
	s.children[name] = &supervised{kind: kind, props: props, wanted: true, backoff: backoff.New()}
	s.spawn(ctx, name)
}

// spawn starts a child that is on record, unless it runs or is not wanted any more.
func (s *supervisor) spawn(ctx actor.Context, name string) {
	child := s.children[name]
	if child == nil || child.pid != nil || !child.wanted {
		return
	}
	// Each life has a PID of its own: protoactor registers a name before its mailbox is ready, so that a message
	// sent meanwhile to a name that is known beforehand breaks the mailbox for good.
	child.pid, child.since, child.failure = ctx.SpawnPrefix(child.props(), name+"-"), time.Now(), nil
	s.names[child.pid.Id] = name
}

// pid is that of a child; nil while it does not run.
func (s *supervisor) pid(name string) *actor.PID {
	if child := s.children[name]; child != nil {
		return child.pid
	}
	return nil
}

// stop has a child end for good; Terminated follows.
func (s *supervisor) stop(ctx actor.Context, name string) {
	if child := s.children[name]; child != nil {
		child.wanted = false
		if child.pid != nil {
			ctx.Stop(child.pid)
		} else {
			delete(s.children, name)
		}
	}
}

// terminated notes that a child is gone and has it started again, if it is wanted, by a timer of the owner's.
// It returns the child's name, and what it failed of if it did.
func (s *supervisor) terminated(owner *incarnation, pid *actor.PID) (name string, failure any) {
	name, child := s.find(pid)
	if child == nil {
		return "", nil
	}
	child.pid = nil
	delete(s.names, pid.Id)
	if !child.wanted || s.ending {
		delete(s.children, name)
		return name, nil
	}
	if child.exchanged {
		child.exchanged = false
		owner.after(0, startChild{name})
		return name, nil
	}
	delay := child.backoff.Failed(time.Since(child.since))
	child.failedAt, child.retryAt = time.Now(), time.Now().Add(delay)
	s.restarts.Add(child.kind, 1)
	event := s.log.Error().Str("child", name).Int("attempt", child.backoff.Attempt()).Stringer("restart_in", delay)
	if c, ok := child.failure.(crashed); ok {
		event = event.Str("stack", string(c.stack))
	}
	event.Any("failure", failureText(child.failure)).Msg("actor failed")
	owner.after(delay, startChild{name})
	return name, child.failure
}

func (s *supervisor) find(pid *actor.PID) (string, *supervised) {
	if name, runs := s.names[pid.Id]; runs {
		return name, s.children[name]
	}
	return "", nil
}

// running is how many children there are.
func (s *supervisor) running() int { return len(s.names) }
