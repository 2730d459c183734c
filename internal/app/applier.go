package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/actors"
	"github.com/lorry-mqtt/lorry/internal/backoff"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/eventlog"
	"github.com/lorry-mqtt/lorry/internal/registry"
)

// applier makes the tree of actors be what the registry says. It looks at one connection at a time, whenever the
// registry names it, and compares what is with what should be: what it missed does not matter. A connection that
// takes long to end holds up no other.
type applier struct {
	registry *registry.Registry
	tree     *actors.Tree
	store    *buffer.Store
	cursors  *buffer.Cursors
	parked   *buffer.Parked
	source   connection.SourceDefaults
	events   *eventlog.Log
	log      zerolog.Logger

	ctx     context.Context //nolint:containedctx // that of all its goroutines
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	due    map[string]bool   // by ID: named again since the look at it that is under way began
	faults map[string]string // by ID: why a connection cannot be run as it is
	first  int               // how many wait for their first attempt
	tried  *sync.Cond        // when none does
}

func newApplier(r *registry.Registry, tree *actors.Tree, deps actors.Deps, source connection.SourceDefaults, events *eventlog.Log) *applier {
	a := &applier{
		registry: r, tree: tree, store: deps.Store, cursors: deps.Cursors, parked: deps.Parked, source: source, events: events, log: deps.Log,
		due: map[string]bool{}, faults: map[string]string{},
	}
	a.tried = sync.NewCond(&a.mu)
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

// start returns when every connection that is there has been started, or has been tried to be.
func (a *applier) start(ctx context.Context) error {
	a.running.Go(func() { a.registry.Watch(a.ctx, a.changed) })
	select {
	case <-a.registry.Synced():
	case <-ctx.Done():
		return fmt.Errorf("read the connections from the registry: %w", ctx.Err())
	}
	stopped := context.AfterFunc(ctx, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.tried.Broadcast()
	})
	defer stopped()
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.first > 0 && ctx.Err() == nil {
		a.tried.Wait()
	}
	return ctx.Err()
}

// stop ends it. What is under way is finished.
func (a *applier) stop() {
	a.cancel()
	a.running.Wait()
}

// changed has a connection looked at.
func (a *applier) changed(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, underWay := a.due[id]
	a.due[id] = true
	if !underWay {
		a.first++
		a.running.Go(func() { a.look(id) })
	}
}

// look applies what the registry says of a connection until nothing new is said, and tries again what fails.
func (a *applier) look(id string) {
	retry := backoff.New()
	attempted := sync.OnceFunc(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.first--; a.first == 0 {
			a.tried.Broadcast()
		}
	})
	defer attempted()
	for a.again(id) {
		err := a.apply(id)
		attempted()
		if err == nil {
			continue
		}
		wait := retry.Failed(0)
		a.log.Error().Str("connection", id).Err(err).Stringer("retry_in", wait).Msg("a connection could not be brought to its configuration")
		a.mu.Lock()
		a.due[id] = true
		a.mu.Unlock()
		select {
		case <-a.ctx.Done():
		case <-time.After(wait):
		}
	}
}

// again reports whether a connection is to be looked at once more; if not, nobody looks at it any longer.
func (a *applier) again(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.due[id] && a.ctx.Err() == nil {
		a.due[id] = false
		return true
	}
	delete(a.due, id)
	return false
}

func (a *applier) apply(id string) error {
	entry, err := a.registry.Get(id)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return a.end(id)
	case err != nil:
		return err
	}
	spec := entry.Spec.WithDefaults(a.source)
	if err := runnable(entry.Fault, spec); err != nil {
		a.refuse(id, err.Error())
		return a.tree.Remove(id)
	}
	a.refuse(id, "")
	if entry.Paused {
		return a.tree.PutPaused(spec)
	}
	return a.tree.Put(spec)
}

// runnable is an error if a connection cannot be run as it is stored.
func runnable(fault error, spec connection.Spec) error {
	if fault != nil {
		return fault
	}
	return spec.Validate().Err()
}

// refuse notes why a connection is not run, and tells it when that is news; no reason: it is.
func (a *applier) refuse(id, reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.faults[id] == reason {
		return
	}
	if reason == "" {
		delete(a.faults, id)
		return
	}
	a.faults[id] = reason
	a.log.Error().Str("connection", id).Str("error", reason).Msg("a connection cannot be run as it is configured")
	a.events.Add(id, eventlog.Event{
		Level: eventlog.Error, Kind: eventlog.StateChanged, State: "misconfigured", Message: "connection is misconfigured", Error: reason,
	})
}

// fault is why a connection is not run; empty when it is.
func (a *applier) fault(id string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.faults[id]
}

// end stops a connection in good order and, if it was deleted, removes what it has left.
func (a *applier) end(id string) error {
	a.refuse(id, "")
	if err := a.tree.Remove(id); err != nil {
		return err
	}
	if !a.registry.Leaving(id) {
		a.events.Forget(id)
		return nil
	}
	ctx, cancel := context.WithTimeout(a.ctx, endTimeout)
	defer cancel()
	if err := a.store.Purge(ctx, id); err != nil {
		return err
	}
	if err := a.cursors.Purge(ctx, id); err != nil {
		return err
	}
	if err := a.parked.Purge(ctx, id); err != nil {
		return err
	}
	if err := a.registry.Forget(ctx, id); err != nil {
		return err
	}
	a.events.Forget(id)
	a.log.Info().Str("connection", id).Msg("connection was deleted, and what it had buffered")
	return nil
}

// endTimeout bounds how long JetStream may take to remove what a connection has left.
const endTimeout = 30 * time.Second
