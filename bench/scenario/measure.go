package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lorry-mqtt/lorry/bench/process"
)

const (
	// sampleEvery is the time between two looks at a program's counters.
	sampleEvery = 100 * time.Millisecond
	// stuckAfter is how long a count may stand still before the round is given up.
	stuckAfter = 2 * time.Minute
	// slowestSpan is the length of what counts as a slow stretch.
	slowestSpan = 500 * time.Millisecond
)

// watch samples a count until done says that it is far enough. It fails when a process has ended, or when the count
// stands still.
func watch(ctx context.Context, gauge *process.Gauge, counter string, done func(n float64) bool, alive ...*process.Process) (series, error) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	var s series
	for moved := time.Now(); ; {
		numbers, err := gauge.Read(ctx)
		if err != nil {
			return s, errors.Join(err, check(alive))
		}
		now, n := time.Now(), numbers[counter]
		if len(s) == 0 || n > s[len(s)-1].count {
			moved = now
		}
		s = append(s, sample{now, n})
		if done(n) {
			return s, nil
		}
		if now.Sub(moved) > stuckAfter {
			return s, fmt.Errorf("%s stands at %.0f for %v", counter, n, stuckAfter)
		}
		if err := check(alive); err != nil {
			return s, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return s, fmt.Errorf("%s stands at %.0f: %w", counter, n, context.Cause(ctx))
		}
	}
}

// check names the first program that has ended.
func check(programs []*process.Process) error {
	for _, p := range programs {
		if err := p.Check(); err != nil {
			return err
		}
	}
	return nil
}

// outcome is one round of one contender.
type outcome struct {
	rate, slowest float64 // frames/s acknowledged
	costs         costs
	others        float64 // cores that the rest of the machine took
	allocations   float64 // for each frame, of a lorry
	remarks       []string
}

// goAllocations is the Go runtime's count of them, of a program that shows it.
const goAllocations = "go_memstats_mallocs_total"

// measure follows the subject from its beginning to its last acknowledged frame; one that begins by itself from the first
// that is seen.
func (s *stage) measure(ctx context.Context, on *subject) (outcome, error) {
	payers := on.payers(s.broker.process)
	alive := processes(payers)
	o, all, first := outcome{}, float64(s.flood.Frames*uint64(max(1, s.fleet))), 0.0
	if on.begin == nil {
		start, err := watch(ctx, on.gauge, on.counter, reaches(1), alive...)
		if err != nil {
			return o, err
		}
		first = start[len(start)-1].count
	}
	before, err := spent(alive)
	if err != nil {
		return o, err
	}
	allocated, err := on.gauge.Read(ctx)
	if err != nil {
		return o, err
	}
	if on.begin != nil {
		if err := on.begin(); err != nil {
			return o, err
		}
	}
	grown, err := watch(ctx, on.gauge, on.counter, reaches(all), alive...)
	if err != nil {
		return o, err
	}
	after, err := spent(alive)
	if err != nil {
		return o, err
	}
	under := append(series{{before.at, first}}, grown...).underWay(all)
	if o.rate, o.slowest = under.rate(), under.slowest(slowestSpan); o.rate == 0 {
		return o, errors.New("all was acknowledged before it could be looked at twice; take more --frames")
	}
	o.costs, o.others = charge(payers, before, after, all-first)
	o.costs = append(o.costs, on.before...)
	numbers, err := on.gauge.Read(ctx)
	if err != nil {
		return o, err
	}
	o.allocations = (numbers[goAllocations] - allocated[goAllocations]) / (all - first)
	o.remarks, err = on.oddities(ctx)
	return o, err
}

func reaches(target float64) func(float64) bool { return func(n float64) bool { return n >= target } }

// bill is what programs and the machine have spent up to a time.
type bill struct {
	at    time.Time
	used  []process.Usage // by process
	busy  time.Duration   // the machine
	bench time.Duration   // this process
}

func spent(processes []*process.Process) (bill, error) {
	b := bill{at: time.Now()}
	for _, p := range processes {
		u, err := p.Usage()
		if err != nil {
			return b, err
		}
		b.used = append(b.used, u)
	}
	var err error
	if b.busy, err = process.Busy(); err != nil {
		return b, err
	}
	b.bench, err = process.Own()
	return b, err
}

// since is what was spent between two bills: CPU time of each process, and how many cores all others on the machine
// took.
func (b bill) since(before bill) (each []time.Duration, others float64) {
	rest := b.busy - before.busy - (b.bench - before.bench)
	for i := range b.used {
		each = append(each, b.used[i].CPU-before.used[i].CPU)
		rest -= each[i]
	}
	return each, max(0, rest.Seconds()/b.at.Sub(before.at).Seconds())
}
