package part

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// The pacer's counts.
const (
	PaceSent  = "pace_sent_total"         // messages
	PaceLate  = "pace_late_total"         // those of them that left when the next was due already
	PaceWorst = "pace_worst_microseconds" // the longest that one of them left after it was due
)

// Pace is a steady run of numbered messages, from 1 on, which say when they were sent. It begins with SIGUSR2, and
// ends with its last message or another SIGUSR2.
type Pace struct {
	Rate   int          // messages a second; 0: none
	Type   dataapi.Type // uplink, downlink_request or downlink_response
	Frames uint64       // number of messages; 0: no end, which a downlink_response has
}

// Flags are where a part is told of the pace.
func (p *Pace) Flags(flags *pflag.FlagSet) {
	flags.IntVar(&p.Rate, "pace", 0, "messages a second that carry the time of their sending, from SIGUSR2 on")
	flags.StringVar((*string)(&p.Type), "pace-type", string(dataapi.Uplink), "type of these messages")
	flags.Uint64Var(&p.Frames, "pace-frames", 0, "number of these messages (0: until the next SIGUSR2)")
}

// Args are the flags' values on a command line.
func (p *Pace) Args() []string {
	return []string{
		"--pace", strconv.Itoa(p.Rate), "--pace-type", string(p.Type), "--pace-frames", strconv.FormatUint(p.Frames, 10),
	}
}

// pacer keeps a pace. One that was made has to be closed.
type pacer struct {
	Pace
	next    func(number uint64) timed
	signals chan os.Signal
	wait    func(time.Duration)

	sent, late, worst atomic.Uint64
}

// newPacer makes one that hears its signals from now on. Its messages are made as the flood has it.
func newPacer(p Pace, f *Flood) (*pacer, error) {
	next, err := p.messages(f)
	if err != nil {
		return nil, fmt.Errorf("pace %ss: %w", p.Type, err)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR2)
	return &pacer{Pace: p, next: next, signals: signals, wait: wait}, nil
}

func (p *pacer) close() { signal.Stop(p.signals) }

func (p *pacer) numbers() []number {
	return []number{{PaceSent, &p.sent}, {PaceLate, &p.late}, {PaceWorst, &p.worst}}
}

// run waits for the signal and keeps the pace, until it is over or ctx ends. All that can be done to a message before
// its time is prepare's; what that returns sends it.
func (p *pacer) run(ctx context.Context, prepare func(m timed) (send func() error, err error)) error {
	select {
	case <-p.signals:
	case <-ctx.Done():
		return nil
	}
	every := time.Second / time.Duration(p.Rate)
	due := time.Now()
	for n := uint64(1); p.Frames == 0 || n <= p.Frames; n++ {
		m := p.next(n)
		send, err := prepare(m)
		if err != nil {
			return fmt.Errorf("pace message %d: %w", n, err)
		}
		if !p.await(ctx, due) {
			return nil
		}
		now := time.Now()
		p.note(now.Sub(due), every)
		m.stamp(now)
		if err := send(); err != nil {
			return fmt.Errorf("pace message %d: %w", n, err)
		}
		p.sent.Add(1)
		due = due.Add(every)
	}
	return nil
}

// await waits until a message is due, and tells whether it is still wanted.
func (p *pacer) await(ctx context.Context, due time.Time) bool {
	for {
		select {
		case <-p.signals:
			return false
		case <-ctx.Done():
			return false
		default:
		}
		left := time.Until(due)
		if left <= 0 {
			return true
		}
		p.wait(left)
	}
}

// note counts how long after its time a message leaves.
func (p *pacer) note(behind, every time.Duration) {
	if behind >= every {
		p.late.Add(1)
	}
	p.worst.Store(max(p.worst.Load(), uint64(max(behind, 0).Microseconds())))
}
