package soak

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lorry-mqtt/lorry/bench/process"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

const (
	// forgets is what lorry may have forgotten after a crash: it writes its cursor once a second, of a floor that a PUBACK
	// which does not come may hold back for another second, and the machine has a second to do it.
	forgets = 3 * second
	// restarts is how long a supervisor would go on starting a program that ends at once.
	restarts = 2 * time.Minute
)

// cure ends a fault.
type cure func(ctx context.Context) error

func cured(context.Context) error { return nil }

// inflict begins a fault.
func (s *stage) inflict(f Fault) (cure, error) {
	switch f.Place.Class {
	case Lorry:
		return s.inflictLorry(f)
	case NATS:
		s.end(s.nats, f)
		return s.nats.start, nil
	case NetworkServer:
		return s.inflictNS(f)
	default:
	}
	for _, r := range s.routes {
		if r.id == f.Place.Of {
			return r.inflict(s, f)
		}
	}
	return nil, fmt.Errorf("there is no %s", f.Place)
}

// end ends a server of ours, whose exit status says nothing of lorry.
func (s *stage) end(p *program, f Fault) {
	if f.Kind == Kill {
		p.kill()
	} else if err := p.stop(); err != nil {
		s.timeline.note("%v", err)
	}
}

func (s *stage) inflictLorry(f Fault) (cure, error) {
	if err := s.lorry.check(); err != nil {
		return nil, err
	}
	during := span{from: time.Since(s.start)}
	var err error
	if f.Kind == Kill {
		s.lorry.kill()
	} else {
		err = s.lorry.stop()
	}
	during.to = time.Since(s.start)
	if f.Kind == Kill || s.natsAway(during) {
		s.crashes = append(s.crashes, s.forgotten(during))
	}
	if err != nil && !s.natsAway(during) {
		return nil, fmt.Errorf("SIGTERM: %w", err)
	}
	return s.restartLorry, nil
}

// restartLorry does what a supervisor does: as long as there is no NATS server, lorry ends at once, and is started again.
func (s *stage) restartLorry(ctx context.Context) error {
	patience, cancel := context.WithTimeoutCause(ctx, restarts, fmt.Errorf("it did not start within %v", restarts))
	defer cancel()
	for {
		began := time.Since(s.start)
		err := s.lorry.start(ctx)
		if err == nil || !errors.Is(err, process.ErrEnded) || !s.natsAway(span{began, time.Since(s.start)}) {
			return err
		}
		select {
		case <-time.After(500 * ms):
		case <-patience.Done():
			return errors.Join(context.Cause(patience), err)
		}
	}
}

func (s *stage) natsAway(when span) bool {
	_, away := s.timeline.during(NATS, when)
	return away
}

// forgotten is the time of which lorry may know nothing after it was ended: its last seconds, and those before the
// NATS server, which keeps its cursor, was away.
func (s *stage) forgotten(end span) span {
	end.from -= forgets
	for { // an outage before the outage counts, too, if lorry had no time between
		from, away := s.timeline.during(NATS, end)
		if !away || from-forgets >= end.from {
			return end
		}
		end.from = from - forgets
	}
}

// manner says how a Network Server drops or refuses.
func (f Fault) manner() string {
	if f.Kind == Drop {
		return simulator.Drop(f.Count).String()
	}
	return f.refusal().String()
}

func (f Fault) refusal() simulator.Refusal {
	if f.Count == 0 {
		return simulator.Unavailable
	}
	return simulator.NotListening
}

func (s *stage) inflictNS(f Fault) (cure, error) {
	switch f.Kind {
	case Drop:
		s.ns.Drop(simulator.Drop(f.Count))
	case Refuse:
		return func(context.Context) error { return s.ns.Refuse(simulator.Accept, 0) }, s.ns.Refuse(f.refusal(), 0)
	case Stall:
		s.ns.Stall(0)
		return func(context.Context) error { s.ns.Resume(); return nil }, nil
	case Disorder:
		s.ns.Disorder(f.Count)
	case Repeat:
		s.ns.Repeat(f.Count)
	case Garbage:
		for i := range f.Count {
			s.ns.Inject(fmt.Appendf(nil, `{"meta":{"time":%d},"garbage":%d`, f.At, i))
		}
	default:
		return nil, fmt.Errorf("nobody knows how to %s a %s", f.Kind, f.Place)
	}
	return cured, nil
}
