package soak

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

const (
	progressEvery = 5 * second
	checkEvery    = 500 * ms
)

// errMissing says that not all was delivered in the end.
var errMissing = errors.New("not everything was delivered")

// awaitStream waits until the route's connection has a stream.
func (r *route) awaitStream(ctx context.Context, s *stage) error {
	return s.ns.Await(ctx, func(simulator.Stats) bool {
		for _, stream := range s.ns.Streams() {
			if stream.Filter == r.id {
				return true
			}
		}
		return false
	})
}

// settle waits until every message has been acknowledged by every broker, for as long as there is progress.
func (s *stage) settle(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, r := range s.routes {
		group.Go(func() error { return r.settle(ctx, s.ledger.count(), s.Patience) })
	}
	return group.Wait()
}

func (r *route) settle(ctx context.Context, owed int, patience time.Duration) error {
	for {
		had := r.recorded.delivered()
		if had >= owed {
			return nil
		}
		waiting, cancel := context.WithTimeoutCause(ctx, patience, errMissing)
		err := r.recorded.Await(waiting, func() bool { return r.recorded.delivered() > had })
		cancel()
		if errors.Is(err, errMissing) {
			return fmt.Errorf("%s: %d of %d messages, and no more for %v: %w", r.id, had, owed, patience, err)
		}
		if err != nil {
			return err
		}
	}
}

// watch tells of the progress, and fails when a program has ended by itself.
func (s *stage) watch(ctx context.Context) error {
	check, progress := time.NewTicker(checkEvery), time.NewTicker(progressEvery)
	defer check.Stop()
	defer progress.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-progress.C:
			s.timeline.note("%s", s.progress())
		case <-check.C:
			for _, p := range s.programs() {
				if err := p.check(); err != nil {
					return err
				}
			}
		}
	}
}

func (s *stage) progress() string {
	var line strings.Builder
	fmt.Fprintf(&line, "sent %d", s.ledger.count())
	for _, r := range s.routes {
		fmt.Fprintf(&line, ", %s has %d", r.id, r.recorded.delivered())
	}
	fmt.Fprintf(&line, "; %d faults", len(s.timeline.all()))
	return line.String()
}
