package soak

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lorry-mqtt/lorry/bench/report"
	"github.com/lorry-mqtt/lorry/internal/faultywire"
)

const (
	// rest is how long a place is left alone after a fault.
	rest = 500 * ms
	// silenceFrom and silenceTo bound a fault that the other end has to find out by itself: lorry gives a Network Server
	// that says nothing 50 s.
	silenceFrom, silenceTo = 52 * second, 65 * second
)

// Plan is everything that a seed decides.
type Plan struct {
	Seed     uint64
	Duration time.Duration
	Faults   []Fault // by time
	Load     []Phase // by time
}

// Phase is a time of one rate, until the next.
type Phase struct {
	At   time.Duration
	Rate float64 // messages/s of the Network Server
}

// The independent streams of chance that a seed feeds.
const (
	chanceFaults = iota + 1
	chanceLoad
)

// NewPlan draws so many faults at the places, and a load of about rate messages a second. The same arguments make the
// same plan.
func NewPlan(seed uint64, duration time.Duration, faults int, rate float64, places []Place) Plan {
	p := Plan{Seed: seed, Duration: duration, Load: drawLoad(rand.New(rand.NewPCG(seed, chanceLoad)), duration, rate)} //nolint:gosec // it has to be repeatable
	r := rand.New(rand.NewPCG(seed, chanceFaults))                                                                     //nolint:gosec // as above
	times := make([]time.Duration, faults)
	for i := range times {
		times[i] = time.Duration(r.Int64N(int64(duration))).Round(ms)
	}
	slices.Sort(times)
	d := &dealer{r: r, duration: duration, places: places, free: make([]time.Duration, len(places))}
	for _, at := range times {
		p.Faults = append(p.Faults, d.deal(at))
	}
	slices.SortStableFunc(p.Faults, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
	return p
}

// dealer deals kinds of faults like cards, so that even a few faults are of many kinds.
type dealer struct {
	r        *rand.Rand
	duration time.Duration
	places   []Place
	free     []time.Duration // by place: when the last fault there is over
	deck     []trait
}

// deal draws a fault for a time, or if none of the places is free then, for the first time at which one is.
func (d *dealer) deal(at time.Duration) Fault {
	for {
		for i, card := range d.deck {
			if free := d.freeOf(card.class, at); len(free) > 0 {
				d.deck = slices.Delete(d.deck, i, i+1)
				return d.draw(card, free[d.r.IntN(len(free))], at)
			}
		}
		if soonest := slices.Min(d.free); soonest > at {
			at = soonest
		} else { // what is left in the deck is for places that are not free
			d.shuffle()
		}
	}
}

// shuffle adds a deck under what is left.
func (d *dealer) shuffle() {
	left := len(d.deck)
	for _, t := range traits {
		if slices.ContainsFunc(d.places, func(p Place) bool { return p.Class == t.class }) {
			d.deck = append(d.deck, slices.Repeat([]trait{t}, t.weight)...)
		}
	}
	fresh := d.deck[left:]
	d.r.Shuffle(len(fresh), func(i, j int) { fresh[i], fresh[j] = fresh[j], fresh[i] })
}

func (d *dealer) freeOf(class Class, at time.Duration) (free []int) {
	for i, p := range d.places {
		if p.Class == class && d.free[i] <= at {
			free = append(free, i)
		}
	}
	return free
}

func (d *dealer) draw(t trait, place int, at time.Duration) Fault {
	f := Fault{At: at, Place: d.places[place], Kind: t.kind}
	if longest := t.lasts[1]; longest > 0 {
		longest = max(t.lasts[0], min(longest, d.duration/10))
		f.For = logUniform(d.r, float64(t.lasts[0]), float64(longest)).Round(ms)
		if t.silence && at+silenceTo <= d.duration && d.r.IntN(3) == 0 {
			f.For = (silenceFrom + time.Duration(d.r.Int64N(int64(silenceTo-silenceFrom)))).Round(ms)
		}
	}
	if t.directed {
		f.Direction = faultywire.Direction(d.r.IntN(2))
	}
	if most := t.counts[1]; most > 10_000 {
		f.Count = int(logUniform(d.r, float64(t.counts[0]), float64(most)))
	} else if most > 0 {
		f.Count = t.counts[0] + d.r.IntN(most-t.counts[0]+1)
	}
	d.free[place] = at + f.For + rest
	return f
}

// logUniform draws so that each order of magnitude is as likely as any other.
func logUniform(r *rand.Rand, low, high float64) time.Duration {
	return time.Duration(low * math.Exp(r.Float64()*math.Log(high/low)))
}

// drawLoad draws phases: most of the time modest, sometimes some times as much, seldom a burst of a second.
func drawLoad(r *rand.Rand, duration time.Duration, rate float64) (load []Phase) {
	for at := time.Duration(0); at < duration; {
		lasts, factor := 1+5*r.Float64(), 0.2+r.Float64()
		switch n := r.IntN(10); {
		case n == 0:
			lasts, factor = 0.5+r.Float64()/2, 10
		case n <= 2:
			factor = 1.5 + 1.5*r.Float64()
		}
		load = append(load, Phase{at, math.Round(rate * factor)})
		at += time.Duration(lasts * float64(second)).Round(ms)
	}
	return load
}

// Write writes the plan as a Markdown table.
func (p Plan) Write(w io.Writer) error {
	t := report.NewTable("at", "for", "where", "what")
	for _, f := range p.Faults {
		t.Add(f.At.String(), f.For.String(), f.Place.String(), f.String())
	}
	if _, err := fmt.Fprintf(w, "Seed %d: %d faults in %v.\n\n", p.Seed, len(p.Faults), p.Duration); err != nil {
		return err
	}
	return t.Write(w)
}
