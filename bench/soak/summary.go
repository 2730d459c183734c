package soak

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/lorry-mqtt/lorry/bench/report"
)

// report judges every connection and writes the summary. The error is ErrBroken if a promise was not kept; failed is what
// has gone wrong already.
func (s *stage) report(w io.Writer, took time.Duration, failed error) error {
	var err error
	verdicts, all := make([]verdict, len(s.routes)), make([]*evidence, len(s.routes))
	for i, r := range s.routes {
		all[i] = s.evidence(r)
		verdicts[i] = judge(all[i])
		if !verdicts[i].holds() {
			err = ErrBroken
		}
	}
	p := &printer{w: w}
	p.printf("Seed %d: %d faults in %v, with all that followed %v. %s\n\n", s.Seed, len(s.timeline.all()), s.Duration,
		took.Round(ms), outcome(errors.Join(failed, err)))
	p.table(s.connections(verdicts))
	p.printf("\n")
	p.table(s.faultTable())
	p.printf("\nRepeats allowed: a window of %d for each session after the first, what lorry was told of in the %v before a crash, "+
		"and what the Network Server sent twice. "+
		"A downlink_request may overtake and be overtaken; no other message may.\n\nThe same again:\n\n    %s\n", maxInflight, forgets, s.Replay)
	for i, r := range s.routes {
		s.explain(p, r, all[i], &verdicts[i])
	}
	return errors.Join(err, p.err)
}

func outcome(err error) string {
	if err == nil {
		return "Every promise was kept."
	}
	return "**Not as promised.**"
}

// evidence is what there is on a connection.
func (s *stage) evidence(r *route) *evidence {
	e := &evidence{
		publishes: r.recorded.all(), crashes: s.crashes, inFlight: r.pubacks.MaxInFlight(), maxInflight: maxInflight,
	}
	e.messages, e.streams = s.ledger.of(r.id, s.ns.Streams())
	return e
}

func (s *stage) connections(verdicts []verdict) *report.Table {
	t := report.NewTable(append([]string{"frames"}, s.Brokers...)...)
	row := func(name string, count func(v *verdict, r *route) int) {
		cells := []string{name}
		for i := range s.Brokers {
			cells = append(cells, strconv.Itoa(count(&verdicts[i], s.routes[i])))
		}
		t.Add(cells...)
	}
	row("sent by the Network Server", func(v *verdict, _ *route) int { return v.owed })
	row("delivered", func(v *verdict, _ *route) int { return v.delivered })
	row("lost", func(v *verdict, _ *route) int { return len(v.lost) })
	row("out of order", func(v *verdict, _ *route) int { return len(v.disordered) })
	row("not byte for byte, or wrongly addressed", func(v *verdict, _ *route) int { return len(v.damaged) })
	row("foreign", func(v *verdict, _ *route) int { return len(v.foreign) })
	row("repeated", func(v *verdict, _ *route) int { return v.repeated })
	row("… after a session's end", func(v *verdict, _ *route) int { return v.sessions })
	row("… after a crash", func(v *verdict, _ *route) int { return v.crashed })
	row("… sent twice by the Network Server", func(v *verdict, _ *route) int { return v.doubled })
	row("repeats allowed", func(v *verdict, _ *route) int { return v.bound })
	row("repeats beyond what is allowed", func(v *verdict, _ *route) int { return len(v.unexplained) + len(v.excessive) })
	row("downlink_requests out of order", func(v *verdict, _ *route) int { return v.requests })
	row("most without PUBACK", func(_ *verdict, r *route) int { return r.pubacks.MaxInFlight() })
	row("MQTT sessions", func(_ *verdict, r *route) int { return r.pubacks.Connects() })
	return t
}

// faultTable counts the faults by where and what.
func (s *stage) faultTable() *report.Table {
	counts := map[[2]string]int{}
	for _, e := range s.timeline.all() {
		counts[[2]string{string(e.Place.Class), string(e.Kind)}]++
	}
	t := report.NewTable("faults at", "kind", "number")
	for _, key := range slices.SortedFunc(maps.Keys(counts), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		t.Add(key[0], key[1], strconv.Itoa(counts[key]))
	}
	return t
}

// printer writes until something fails.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) table(t *report.Table) {
	if p.err == nil {
		p.err = t.Write(p.w)
	}
}
