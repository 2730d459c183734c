package scenario

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lorry-mqtt/lorry/bench/process"
)

// moment is how far lorry is at a time.
type moment struct {
	at                     time.Time
	received, acknowledged float64 // frames
	resident               int64   // memory in bytes
}

// behind is how many frames lorry has received and not delivered.
func (m moment) behind() float64 { return m.received - m.acknowledged }

// moments are in their order.
type moments []moment

// received is how many frames were, over time.
func (m moments) received() series {
	return m.series(func(m moment) float64 { return m.received })
}

// acknowledged is how many frames were, over time.
func (m moments) acknowledged() series {
	return m.series(func(m moment) float64 { return m.acknowledged })
}

// rate is how many frames a second were acknowledged.
func (m moments) rate() float64 { return m.acknowledged().rate() }

func (m moments) series(value func(m moment) float64) series {
	var s series
	for _, one := range m {
		s = append(s, sample{one.at, value(one)})
	}
	return s
}

// last is the moment at which lorry was last looked at.
func (b *backlog) last() moment {
	if len(b.history) == 0 {
		return moment{}
	}
	return b.history[len(b.history)-1]
}

// look adds a moment to the history.
func (b *backlog) look(ctx context.Context) (moment, error) {
	numbers, err := b.gauge.Read(ctx)
	if err != nil {
		return moment{}, err
	}
	m := moment{at: time.Now(), received: numbers[lorryReceived], acknowledged: numbers[lorryAcknowledged]}
	usage, err := b.lorry.Usage()
	if err != nil {
		return moment{}, err
	}
	m.resident = usage.Resident
	b.history = append(b.history, m)
	return m, nil
}

// follow looks at lorry until it is far enough, and notes the most memory that it had meanwhile. It returns what it saw,
// from the last moment before on. It fails when a process has ended, or when nothing moves any more.
func (b *backlog) follow(ctx context.Context, most *int64, done func(m moment) bool) (moments, error) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	first := max(len(b.history)-1, 0)
	for moved, before := time.Now(), b.last(); ; {
		m, err := b.look(ctx)
		if err != nil {
			return nil, err
		}
		*most = max(*most, m.resident)
		if done(m) {
			return b.history[first:], nil
		}
		if m.received > before.received || m.acknowledged > before.acknowledged {
			moved, before = m.at, m
		}
		stands := fmt.Sprintf("%.0f frames were received, %.0f acknowledged", m.received, m.acknowledged)
		if m.at.Sub(moved) > stuckAfter {
			return nil, fmt.Errorf("%s, and no more for %v", stands, stuckAfter)
		}
		if err := b.lorry.Check(); err != nil {
			return nil, err
		}
		if err := b.ns.Check(); err != nil {
			return nil, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w", stands, context.Cause(ctx))
		}
	}
}

// followBeside is follow, and notes how many cores the rest of the machine took meanwhile.
func (b *backlog) followBeside(ctx context.Context, most *int64, others *float64, done func(m moment) bool) (moments, error) {
	working := slices.DeleteFunc(slices.Clone(b.stage.running), func(p *process.Process) bool { return p.Check() != nil })
	before, err := spent(working)
	if err != nil {
		return nil, err
	}
	seen, err := b.follow(ctx, most, done)
	if err != nil {
		return nil, err
	}
	after, err := spent(working)
	if err != nil {
		return nil, err
	}
	_, *others = after.since(before)
	return seen, nil
}
