package soak

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/lorry-mqtt/lorry/internal/faultywire"
)

func (r *route) inflict(s *stage, f Fault) (cure, error) {
	switch f.Place.Class {
	case Broker:
		s.end(r.broker, f)
		return r.broker.start, nil
	case Pubacks:
		return r.inflictPubacks(f)
	case BrokerWire:
		return inflictWire(r.wire, f)
	default:
		return inflictWire(r.source, f)
	}
}

func (r *route) inflictPubacks(f Fault) (cure, error) {
	switch f.Kind {
	case Late:
		r.pubacks.Withhold()
	case Reverse:
		r.pubacks.Reverse(f.Count)
	case Lose:
		r.pubacks.DropEvery(f.Count)
	default:
		return nil, fmt.Errorf("nobody knows how to %s %s", f.Kind, f.Place)
	}
	return func(context.Context) error {
		r.pubacks.Pass()
		if f.Kind == Reverse {
			r.pubacks.ReleaseReversed()
		} else {
			r.pubacks.Release(math.MaxInt)
		}
		return nil
	}, nil
}

func inflictWire(w *faultywire.Wire, f Fault) (cure, error) {
	switch f.Kind {
	case Cut:
		w.Cut()
	case HalfClose:
		w.HalfClose(f.Direction)
	case Stall:
		w.Stall(f.Direction)
		return func(context.Context) error { w.Resume(f.Direction); return nil }, nil
	case Refuse:
		w.Refuse()
		w.Cut()
		return func(context.Context) error { return w.Admit() }, nil
	case Slow:
		return slow(w, f), nil
	default:
		return nil, fmt.Errorf("nobody knows how to %s a %s", f.Kind, f.Place)
	}
	return cured, nil
}

// slow lets so many bytes a second through until it is cured.
func slow(w *faultywire.Wire, f Fault) cure {
	const every = 20 * ms
	w.Limit(f.Direction)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.Release(f.Direction, max(1, int64(f.Count)*int64(every)/int64(second)))
			case <-stop:
				return
			}
		}
	}()
	return func(context.Context) error {
		close(stop)
		<-stopped
		w.Resume(f.Direction)
		return nil
	}
}
