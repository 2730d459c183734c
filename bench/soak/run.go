package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options say what is run.
type Options struct {
	Seed         uint64
	Duration     time.Duration // of the time with faults
	Faults       int
	Rate         float64       // of the Network Server's messages a second, about
	Brokers      []string      // Mochi, Mosquitto; a connection for each
	ExternalNATS bool          // lorry uses a NATS server that is a process of its own, and that has faults, too
	Lorry        []string      // the program and its arguments up to --config
	Bench        string        // this program, for its parts
	Patience     time.Duration // how long nothing may be delivered at the end while something is missing
	Replay       string        // the command line that runs all of this again
	Progress     io.Writer
}

// ErrBroken says that a promise was not kept; the summary says which.
var ErrBroken = errors.New("a promise was not kept")

// Plan is what the options' seed makes of them.
func (o *Options) Plan() Plan {
	return NewPlan(o.Seed, o.Duration, o.Faults, o.Rate, places(o.Brokers, o.ExternalNATS))
}

// Run runs the plan and writes the summary, as Markdown. The error is ErrBroken, or that of a program that did not do what
// it was to; then the directory of the run stays, and the error names it.
func (o *Options) Run(ctx context.Context, summary io.Writer) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := newStage(ctx, *o)
	if err == nil {
		err = s.perform(ctx, o.Plan())
	}
	ended := time.Since(s.start)
	err = errors.Join(err, s.close())
	if s.lorry != nil { // else not all of what the summary tells of is there
		err = errors.Join(err, s.report(summary, ended, err))
	}
	if err != nil {
		return fmt.Errorf("%w\nlogs and store are in %s", err, s.dir)
	}
	return os.RemoveAll(s.dir)
}

// perform runs the plan, and waits until everything has been delivered.
func (s *stage) perform(ctx context.Context, plan Plan) error {
	if err := s.warmUp(ctx, plan); err != nil {
		return err
	}
	s.timeline.note("the plan begins: seed %d, %d faults in %v", plan.Seed, len(plan.Faults), plan.Duration)
	begin := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	watching, watched := context.WithCancel(ctx)
	group.Go(func() error { return s.watch(watching) })
	group.Go(func() error {
		defer watched()
		if err := s.faults(ctx, begin, plan); err != nil {
			return err
		}
		s.timeline.note("the last fault is over")
		return s.settle(ctx)
	})
	return group.Wait()
}

// warmUp waits until each connection has delivered something: a connection that has never stored a frame does not know
// from when on it missed some.
func (s *stage) warmUp(ctx context.Context, plan Plan) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.Patience, fmt.Errorf("nothing was delivered within %v of the start", s.Patience))
	defer cancel()
	for _, r := range s.routes {
		if err := r.awaitStream(ctx, s); err != nil {
			return err
		}
	}
	s.ns.SetRate(max(20, plan.Load[0].Rate))
	for _, r := range s.routes {
		if err := r.recorded.Await(ctx, func() bool { return r.recorded.delivered() > 0 }); err != nil {
			return err
		}
	}
	return nil
}

// faults runs the faults and the load until the duration has passed and the last fault is over.
func (s *stage) faults(ctx context.Context, begin time.Time, plan Plan) error {
	group, ctx := errgroup.WithContext(ctx)
	lanes := map[Place][]Fault{}
	for _, f := range plan.Faults {
		lanes[f.Place] = append(lanes[f.Place], f)
	}
	for _, lane := range lanes {
		group.Go(func() error { return s.lane(ctx, begin, lane) })
	}
	group.Go(func() error {
		for _, phase := range plan.Load {
			if err := until(ctx, begin.Add(phase.At)); err != nil {
				return err
			}
			s.ns.SetRate(phase.Rate)
		}
		return until(ctx, begin.Add(plan.Duration))
	})
	err := group.Wait()
	s.ns.SetRate(0)
	return err
}

// lane runs the faults of one place, one after the other.
func (s *stage) lane(ctx context.Context, begin time.Time, faults []Fault) error {
	for _, f := range faults {
		if err := until(ctx, begin.Add(f.At)); err != nil {
			return err
		}
		over := s.timeline.begin(f)
		heal, err := s.inflict(f)
		if err == nil {
			err = errors.Join(until(ctx, time.Now().Add(f.For)), heal(ctx)) // healed in any case
		}
		over()
		if err != nil {
			return fmt.Errorf("%s, %s: %w", f.Place, f, err)
		}
	}
	return nil
}

// until waits for a time.
func until(ctx context.Context, when time.Time) error {
	timer := time.NewTimer(time.Until(when))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
