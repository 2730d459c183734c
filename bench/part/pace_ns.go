package part

import (
	"context"

	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// beside has a Network Server send the pace's messages, in line with its flood, on every stream that is open then. It
// shows its counts at the address. The function that it returns ends it.
func (p *Pace) beside(ctx context.Context, ns *simulator.NS, f *Flood, listen string) (end func() error, err error) {
	if p.Rate == 0 {
		return func() error { return nil }, nil
	}
	pacer, err := newPacer(*p, f)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- show(ctx, listen, pacer.numbers(), func(ctx context.Context) error {
			return pacer.run(ctx, func(m timed) (func() error, error) {
				return func() error { ns.Inject(m.raw); return nil }, nil
			})
		})
	}()
	return func() error {
		defer pacer.close()
		cancel()
		return <-ended
	}, nil
}
