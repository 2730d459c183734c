package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/report"
)

// race is all rounds of all contenders with frames of one size.
type race struct {
	size     int
	entrants []contender
	outcomes map[string]outcomes // by contender
}

// throughput runs every contender with every size in every round, one after the other, and compares them.
func throughput(ctx context.Context, o Options) (*report.Section, error) {
	entrants, absent := o.entrants()
	var races []*race
	for _, size := range o.Sizes {
		races = append(races, &race{size: size, entrants: entrants, outcomes: map[string]outcomes{}})
	}
	broker := ""
	for round := range o.Rounds {
		for _, r := range races {
			for _, c := range entrants {
				one, name, err := r.run(ctx, o, c, round+1)
				if err != nil {
					return nil, fmt.Errorf("round %d of %s with frames of %d bytes: %w", round+1, c.name, r.size, err)
				}
				r.outcomes[c.name], broker = append(r.outcomes[c.name], one), name
			}
		}
	}
	section := &report.Section{Text: throughputText(o, broker)}
	for _, c := range absent {
		section.Remarkf("The %s was left out: it needs %s as the broker.", c.name, c.needs)
	}
	present(section, races)
	return section, nil
}

// entrants are the contenders that can be run, and those that cannot.
func (o *Options) entrants() (entrants, absent []contender) {
	broker := o.brokerKind()
	for _, c := range contenders() {
		if c.needs != "" && c.needs != broker {
			absent = append(absent, c)
		} else {
			entrants = append(entrants, c)
		}
	}
	return entrants, absent
}

// framesFor is how many frames a contender is given of a round's, whole cycles of them. The sizes beside the usual one get
// fewer: large frames take longer, and all of it is meant to take some minutes.
func framesFor(o *Options, c *contender, size int) uint64 {
	share := c.share
	switch {
	case size > 2*DefaultSize:
		share /= 5
	case size != DefaultSize:
		share /= 2
	}
	return (max(uint64(float64(o.Frames)*share), 1000) + part.Cycle - 1) / part.Cycle * part.Cycle
}

func (r *race) run(ctx context.Context, o Options, c contender, round int) (one outcome, broker string, err error) {
	o.Size = r.size
	s, ctx, err := newStage(ctx, o, framesFor(&o, &c, r.size))
	if err != nil {
		return one, "", err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	name := strings.NewReplacer(",", "", " ", "-").Replace(c.name)
	subject, err := c.start(ctx, s, fmt.Sprintf("%s-%d-%d", name, r.size, round))
	if err != nil {
		return one, "", err
	}
	if one, err = s.measure(ctx, subject); err != nil {
		return one, "", err
	}
	s.progress("throughput %d/%d  %4d B  %-18s %8.0f frames/s, slowest half second %8.0f, %5.1f CPU s per million, others took %.2f cores",
		round, o.Rounds, r.size, c.name, one.rate, one.slowest, one.costs.own(), one.others)
	return one, s.broker.name, nil
}

// figure sums up one value of a contender's rounds.
func (r *race) figure(name string, value func(o *outcome) float64) report.Figure {
	return r.outcomes[name].figure(value)
}

// ratio sums up how a contender's value is to a peer's.
func (r *race) ratio(name, peer string, value, of func(o *outcome) float64) report.Figure {
	return r.outcomes[name].ratio(r.outcomes[peer], value, of)
}

func rate(o *outcome) float64 { return o.rate }

// efficiency is in frames per CPU second of all that is the contender's own.
func efficiency(o *outcome) float64 { return 1e6 / o.costs.own() }
