package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/process"
	"github.com/lorry-mqtt/lorry/bench/report"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

const (
	// settle is how long the subscriber may take for what the broker has acknowledged.
	settle = time.Minute
	// rest is how long lorry is left alone before its memory is looked at for the last time: the Go runtime gives
	// memory back over time.
	rest = 5 * time.Second
	// requestRate is how many live downlink_requests come in a second while lorry catches up.
	requestRate = 50
	// caughtUp is how many frames lorry may still be behind when it has caught up: live ones that are on the way.
	caughtUp = requestRate / 10
)

// outage is what came of one.
type outage struct {
	before, during, end, catchingUp, after int64 // lorry's resident memory in bytes; before, during, catchingUp: the most
	lasted, reconnect                      time.Duration
	live, inflow, catchUp, slowest         float64 // frames/s
	behind                                 float64 // frames
	redelivered, evicted, sessions         float64
	othersBefore, othersMeanwhile          float64 // cores that the rest of the machine took, live and catching up
	arrived, repeated, disordered, foreign float64 // at the subscriber
	requests                               requests
}

// requests is what became of the live downlink_requests.
type requests struct {
	took                    durations // of those sent while lorry was catching up
	sent, arrived, repeated float64
	late                    float64 // by the Network Server's own fault
	overtaken, expired      float64 // by lorry's counts
}

// catchUp lets a part of the flood through, takes the broker away while the rest flows in, brings it back, and has live
// downlink_requests come while lorry catches up.
func catchUp(ctx context.Context, o Options) (section *report.Section, err error) {
	owed := 2 * o.Frames
	warm := owed / 10 * 3
	s, ctx, err := newStage(ctx, o, warm+owed)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	b := &backlog{stage: s, began: time.Now()}
	if err := b.start(ctx, warm); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return b.warmUp(ctx, float64(warm)) }, b.outage, b.catchUp, b.settle, b.takeRequests,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	section = &report.Section{Text: fmt.Sprintf("One connection, frames of %d bytes, window of %d, %s, a subscriber that checks every byte. "+
		"%d frames come as fast as lorry takes them; at what rate it delivers them is the live maximum. Then the broker goes, and comes "+
		"back when %d more have been received. While lorry catches up, %d live downlink_requests come in a second, and another "+
		"subscriber times them.",
		o.Size, o.Window, s.broker.name, warm, owed, requestRate)}
	b.result.report(section, float64(s.flood.Frames))
	section.Add(b.lines())
	return section, nil
}

// backlog is a catch-up scenario under way.
type backlog struct {
	stage      *stage
	lorry      *process.Process
	ns         *pacedNS
	gauge      *process.Gauge // lorry's
	subscriber *process.Gauge
	finish     string // address of the stopwatch
	began      time.Time
	ended      time.Time // when lorry had caught up
	history    moments
	result     outage
}

func (b *backlog) start(ctx context.Context, warm uint64) error {
	s := b.stage
	_, numbers, err := s.startSubscriber(ctx)
	if err != nil {
		return err
	}
	b.subscriber = process.NewGauge(numbers)
	if b.finish, err = s.startStopwatch(ctx, "lora/"+string(dataapi.DownlinkRequest)+"/+"); err != nil {
		return err
	}
	if b.ns, err = s.startPacedNS(ctx, warm, part.Pace{Rate: requestRate, Type: dataapi.DownlinkRequest}); err != nil {
		return err
	}
	program, metrics, err := s.startLorry(ctx, b.ns.address, "catch-up")
	b.lorry, b.gauge = program, process.NewGauge(metrics)
	return err
}

// warmUp waits until the flood's first part is through. From a tenth of it on the pipe is full: there is always more to
// publish. Receiving is faster and over before, so that it slows down the lesser part of what is compared with.
func (b *backlog) warmUp(ctx context.Context, frames float64) error {
	if _, err := b.follow(ctx, &b.result.before, func(m moment) bool { return m.acknowledged >= frames/10 }); err != nil {
		return err
	}
	grown, err := b.followBeside(ctx, &b.result.before, &b.result.othersBefore, func(m moment) bool { return m.acknowledged >= frames })
	if err != nil {
		return err
	}
	if b.result.live = grown.rate(); b.result.live == 0 {
		return errors.New("the first frames were acknowledged before they could be looked at twice; take more --frames")
	}
	b.stage.progress("catch-up  %.0f frames/s live", b.result.live)
	return nil
}

// outage has the rest flow in, and takes the broker away meanwhile.
func (b *backlog) outage(ctx context.Context) error {
	if err := b.ns.Signal(syscall.SIGUSR1); err != nil {
		return err
	}
	// The broker goes in the middle of it, with a window of frames in flight.
	acknowledged := b.last().acknowledged
	if _, err := b.follow(ctx, &b.result.before, func(m moment) bool { return m.acknowledged > acknowledged }); err != nil {
		return err
	}
	began := time.Now()
	if err := b.stage.brokerGone(); err != nil {
		return err
	}
	grown, err := b.follow(ctx, &b.result.during, func(m moment) bool { return m.received >= float64(b.stage.flood.Frames) })
	if err != nil {
		return err
	}
	b.result.lasted, b.result.inflow = time.Since(began), grown.received().rate()
	b.result.end, b.result.behind = b.last().resident, b.last().behind()
	if b.result.behind == 0 {
		return errors.New("everything was acknowledged before the broker was gone; take more --frames")
	}
	if b.stage.Profiles != "" {
		err = b.lorry.Signal(syscall.SIGUSR1) // for a profile of its heap as it is now
	}
	b.stage.progress("catch-up  the broker was away for %v: %.0f frames/s flowed in, lorry has %.0f MB (before: %.0f MB)",
		b.result.lasted.Round(time.Millisecond), b.result.inflow, float64(b.result.end)/1e6, float64(b.result.before)/1e6)
	return err
}

// catchUp brings the broker back and follows what it is owed, with requests meanwhile.
func (b *backlog) catchUp(ctx context.Context) error {
	acknowledged, back := b.last().acknowledged, time.Now()
	if err := b.stage.brokerBack(ctx); err != nil {
		return err
	}
	if _, err := b.follow(ctx, &b.result.catchingUp, func(m moment) bool { return m.acknowledged > acknowledged }); err != nil {
		return err
	}
	b.result.reconnect = time.Since(back)
	if b.stage.Profiles != "" { // one of the CPU from here on
		if err := b.lorry.Signal(syscall.SIGUSR2); err != nil {
			return err
		}
	}
	if err := b.ns.Signal(syscall.SIGUSR2); err != nil {
		return err
	}
	grown, err := b.followBeside(ctx, &b.result.catchingUp, &b.result.othersMeanwhile, func(m moment) bool { return m.behind() <= caughtUp })
	if err != nil {
		return err
	}
	b.ended = b.last().at
	b.result.catchUp, b.result.slowest = grown.rate(), grown.acknowledged().slowest(time.Second)
	b.stage.progress("catch-up  caught up at %.0f frames/s", b.result.catchUp)
	return b.ns.Signal(syscall.SIGUSR2)
}

// settle waits for the subscriber, and takes stock.
func (b *backlog) settle(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	_, err := watch(wait, b.subscriber, part.SubscriberArrived, reaches(float64(b.stage.flood.Frames)))
	if err != nil && !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil { // what is lost is counted, not waited for
		return err
	}
	if err := pause(ctx, rest); err != nil {
		return err
	}
	arrived, err := b.subscriber.Read(ctx)
	if err != nil {
		return err
	}
	r := &b.result
	r.arrived, r.repeated = arrived[part.SubscriberArrived], arrived[part.SubscriberRepeated]
	r.disordered, r.foreign = arrived[part.SubscriberDisordered], arrived[part.SubscriberForeign]
	numbers, err := b.gauge.Read(ctx)
	if err != nil {
		return err
	}
	r.redelivered, r.evicted, r.sessions = numbers[lorryRedelivered], numbers[lorryEvicted], numbers[lorryReconnects]
	r.requests.overtaken, r.requests.expired = numbers[lorryOvertaken], numbers[lorryExpired]
	usage, err := b.lorry.Usage()
	r.after = usage.Resident
	return err
}

// takeRequests takes stock of the requests that came while lorry was catching up.
func (b *backlog) takeRequests(ctx context.Context) error {
	sent, err := process.NewGauge(b.ns.numbers).Read(ctx)
	if err != nil {
		return err
	}
	finished, err := process.NewGauge(b.finish).Read(ctx)
	if err != nil {
		return err
	}
	samples, err := readSamples(ctx, b.finish)
	if err != nil {
		return err
	}
	r := &b.result.requests
	r.sent, r.late = sent[part.PaceSent], sent[part.PaceLate]
	r.arrived, r.repeated = finished[part.StopwatchArrived], finished[part.StopwatchRepeated]
	b.result.foreign += finished[part.StopwatchForeign]
	r.took = newDurations(slices.DeleteFunc(samples, func(s part.Sample) bool { return s.Sent.After(b.ended) }))
	if len(r.took) == 0 {
		return errors.New("no downlink_request arrived that came while lorry was catching up; take more --frames")
	}
	return nil
}
