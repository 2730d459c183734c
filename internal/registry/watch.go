package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/lorry-mqtt/lorry/internal/backoff"
)

// stopTimeout bounds how long a watch that is given up may take to say that it has ended.
const stopTimeout = 5 * time.Second

// errAgain ends a watch after the connection to NATS was lost and is back: what was missed is not known.
var errAgain = errors.New("the connection to NATS was lost meanwhile")

// Watch calls changed with the ID of each connection that is there, then with that of each which is created, changed,
// paused or deleted, one call after the other, until ctx ends: [Registry.Get] and [Registry.Leaving] tell what it is
// now. A connection may be named without a change. changed must not block.
func (r *Registry) Watch(ctx context.Context, changed func(id string)) {
	for id := range r.static {
		changed(id)
	}
	retry := backoff.New()
	for ctx.Err() == nil {
		began := time.Now()
		err := r.watch(ctx, changed)
		if ctx.Err() != nil {
			return
		}
		wait := retry.Failed(time.Since(began))
		if errors.Is(err, errAgain) {
			wait = 0
		} else {
			r.log.Warn().Err(err).Stringer("retry_in", wait).Msg("the registry of connections cannot be watched")
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// Synced is closed when Watch has seen all that the bucket held when it began.
func (r *Registry) Synced() <-chan struct{} { return r.synced }

// watch is one watch of the bucket, from all it holds on, until the connection to NATS is lost and back.
func (r *Registry) watch(ctx context.Context, changed func(id string)) error {
	connected := r.js.Conn().StatusChanged(nats.CONNECTED)
	defer r.js.Conn().RemoveStatusListener(connected)
	watcher, err := r.kv.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("watch key-value bucket %s: %w", Bucket, err)
	}
	defer r.end(watcher)
	r.begin()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-connected:
			return errAgain
		case entry, open := <-watcher.Updates():
			switch {
			case !open:
				return fmt.Errorf("watch key-value bucket %s: the watch has ended", Bucket)
			case entry == nil: // all there was
				for _, id := range r.sweep() {
					changed(id)
				}
				r.syncOnce.Do(func() { close(r.synced) })
			default:
				// What this node has written itself is known already, and is news to those who run it.
				changed(r.note(entry.Key(), entry.Value(), entry.Operation(), entry.Revision()))
			}
		}
	}
}

// end stops a watch and reads what it still brings: its sender would wait for ever.
func (r *Registry) end(watcher jetstream.KeyWatcher) {
	if err := watcher.Stop(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) && !errors.Is(err, nats.ErrBadSubscription) {
		r.log.Debug().Err(err).Msg("a watch of the registry did not stop")
	}
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	for {
		select {
		case _, open := <-watcher.Updates():
			if !open {
				return
			}
		case <-timeout.C:
			return
		}
	}
}
