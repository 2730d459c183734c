package scenario

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/process"
	"github.com/lorry-mqtt/lorry/bench/report"
)

const (
	second = time.Second
	// settle is how long the subscriber may take for what the broker has acknowledged.
	settle = time.Minute
	// rest is how long lorry is left alone before its memory is looked at for the last time: the Go runtime gives
	// memory back over time.
	rest = 5 * time.Second
)

// outage is what came of one.
type outage struct {
	before, during, end, catchingUp, after int64 // lorry's resident memory in bytes; before, during, catchingUp: the most
	lasted, reconnect                      time.Duration
	live, inflow, catchUp, slowest         float64 // frames/s
	behind                                 float64 // frames
	redelivered, evicted                   float64
	arrived, repeated, disordered, foreign float64 // at the subscriber
}

// brokerAway lets a part of the flood through, takes the broker away while the rest flows in, and brings it back.
func brokerAway(ctx context.Context, o Options) (section *report.Section, err error) {
	warm := o.Frames / 5
	s, ctx, err := newStage(ctx, o, warm+o.Frames)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	_, numbers, err := s.startSubscriber(ctx)
	if err != nil {
		return nil, err
	}
	subject, err := startHeldLorry(ctx, s, "broker-away", warm)
	if err != nil {
		return nil, err
	}
	a := &away{stage: s, lorry: subject, subscriber: process.NewGauge(numbers)}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return a.warmUp(ctx, float64(warm)) }, a.outage, a.catchUp, a.settle,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	section = &report.Section{Text: fmt.Sprintf("One connection, frames of %d bytes, window of %d, %s, a subscriber that checks every byte. "+
		"The broker goes some time after %d frames, and comes back when %d more have been received.",
		o.Size, o.Window, s.broker.name, warm, o.Frames)}
	section.Add(a.table())
	return section, nil
}

// away is a broker-away scenario under way.
type away struct {
	stage      *stage
	lorry      *subject
	subscriber *process.Gauge
	result     outage
}

// resident is lorry's memory.
func (a *away) resident() (int64, error) {
	u, err := a.lorry.program.Usage()
	return u.Resident, err
}

// watch samples one of lorry's counts, and notes the most memory that it had meanwhile.
func (a *away) watch(ctx context.Context, counter string, target float64, most *int64) (series, error) {
	var failed error
	s, err := watch(ctx, a.lorry.gauge, counter, func(n float64) bool {
		now, err := a.resident()
		failed = errors.Join(failed, err)
		*most = max(*most, now)
		return n >= target || err != nil
	}, a.lorry.program, a.lorry.ns)
	return s, errors.Join(err, failed)
}

// warmUp waits until the flood's first part is through.
func (a *away) warmUp(ctx context.Context, frames float64) error {
	grown, err := a.watch(ctx, lorryAcknowledged, frames, &a.result.before)
	if err != nil {
		return err
	}
	a.result.live = grown.rate()
	return nil
}

// outage has the rest flow in, and takes the broker away meanwhile.
func (a *away) outage(ctx context.Context) error {
	s := a.stage
	numbers, err := a.lorry.gauge.Read(ctx)
	if err != nil {
		return err
	}
	if err := a.lorry.ns.Signal(syscall.SIGUSR1); err != nil {
		return err
	}
	// The broker goes in the middle of it, with a window of frames in flight.
	if _, err := a.watch(ctx, lorryAcknowledged, numbers[lorryAcknowledged]+1, &a.result.before); err != nil {
		return err
	}
	began := time.Now()
	if err := s.brokerGone(); err != nil {
		return err
	}
	grown, err := a.watch(ctx, lorryReceived, float64(s.flood.Frames), &a.result.during)
	if err != nil {
		return err
	}
	a.result.lasted, a.result.inflow = time.Since(began), grown.rate()
	if a.result.end, err = a.resident(); err != nil {
		return err
	}
	if s.Profiles != "" {
		err = a.lorry.program.Signal(syscall.SIGUSR1) // for a profile of its heap as it is now
	}
	s.progress("broker-away  the broker was away for %v: %.0f frames/s flowed in, lorry has %.0f MB (before: %.0f MB)",
		a.result.lasted.Round(time.Millisecond), a.result.inflow, float64(a.result.end)/1e6, float64(a.result.before)/1e6)
	return err
}

// catchUp brings the broker back and follows what it is owed.
func (a *away) catchUp(ctx context.Context) error {
	numbers, err := a.lorry.gauge.Read(ctx)
	if err != nil {
		return err
	}
	acknowledged := numbers[lorryAcknowledged]
	if a.result.behind = float64(a.stage.flood.Frames) - acknowledged; a.result.behind == 0 {
		return errors.New("everything was acknowledged before the broker was gone; take more --frames")
	}
	back := time.Now()
	if err := a.stage.brokerBack(ctx); err != nil {
		return err
	}
	start, err := a.watch(ctx, lorryAcknowledged, acknowledged+1, &a.result.catchingUp)
	if err != nil {
		return err
	}
	a.result.reconnect = time.Since(back)
	grown, err := a.watch(ctx, lorryAcknowledged, float64(a.stage.flood.Frames), &a.result.catchingUp)
	if err != nil {
		return err
	}
	grown = append(start[len(start)-1:], grown...)
	a.result.catchUp, a.result.slowest = grown.rate(), grown.slowest(second)
	a.stage.progress("broker-away  caught up at %.0f frames/s", a.result.catchUp)
	return nil
}

// settle waits for the subscriber, and takes stock.
func (a *away) settle(ctx context.Context) error {
	patience, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	_, err := watch(patience, a.subscriber, part.SubscriberArrived, reaches(float64(a.stage.flood.Frames)))
	if err != nil && !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil { // what is lost is counted, not waited for
		return err
	}
	quiet := time.NewTimer(rest)
	defer quiet.Stop()
	select {
	case <-quiet.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	arrived, err := a.subscriber.Read(ctx)
	if err != nil {
		return err
	}
	r := &a.result
	r.arrived, r.repeated = arrived[part.SubscriberArrived], arrived[part.SubscriberRepeated]
	r.disordered, r.foreign = arrived[part.SubscriberDisordered], arrived[part.SubscriberForeign]
	numbers, err := a.lorry.gauge.Read(ctx)
	if err != nil {
		return err
	}
	r.redelivered, r.evicted = numbers[lorryRedelivered], numbers[lorryEvicted]
	r.after, err = a.resident()
	return err
}

func (a *away) table() *report.Table {
	r, t := &a.result, report.NewTable("", "")
	megabytes := func(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
	t.Add("frames/s acknowledged before", fmt.Sprintf("%.0f", r.live))
	t.Add("lorry's resident memory before, at most", megabytes(r.before))
	t.Add("… at the end of the outage (at most during it)", fmt.Sprintf("%s (%s)", megabytes(r.end), megabytes(r.during)))
	t.Add("… after catching up (at most meanwhile)", fmt.Sprintf("%s (%s)", megabytes(r.after), megabytes(r.catchingUp)))
	t.Add("the outage lasted", r.lasted.Round(10*time.Millisecond).String())
	t.Add("frames/s received meanwhile", fmt.Sprintf("%.0f", r.inflow))
	t.Add("frames behind at its end", fmt.Sprintf("%.0f", r.behind))
	t.Add("first frame acknowledged, after the broker is back", r.reconnect.Round(10*time.Millisecond).String())
	t.Add("frames/s acknowledged while catching up (slowest second)", fmt.Sprintf("%.0f (%.0f)", r.catchUp, r.slowest))
	t.Add("… of what it was before", fmt.Sprintf("%.2f", r.catchUp/r.live))
	t.Add("frames lost", fmt.Sprintf("%.0f", float64(a.stage.flood.Frames)-r.arrived))
	t.Add("frames out of order", fmt.Sprintf("%.0f", r.disordered))
	t.Add("frames repeated to the subscriber (redelivered by lorry)", fmt.Sprintf("%.0f (%.0f)", r.repeated, r.redelivered))
	t.Add("messages that were never sent", fmt.Sprintf("%.0f", r.foreign))
	t.Add("frames evicted from the buffer", fmt.Sprintf("%.0f", r.evicted))
	return t
}
