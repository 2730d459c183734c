package part

import (
	"context"
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// bubblePacer is one whose clock and signals are the test's.
func bubblePacer(p Pace) *pacer {
	return &pacer{
		Pace: p, signals: make(chan os.Signal, 1), wait: time.Sleep,
		next: func(uint64) timed { return timed{nil, func(time.Time) {}} },
	}
}

// sends returns when each message was sent, from the pacer's start, and has sending one take as long as it says.
func (p *pacer) sends(ctx context.Context, took func(n int) time.Duration) (times []time.Duration, err error) {
	began := time.Now()
	err = p.run(ctx, func(timed) (func() error, error) {
		return func() error {
			times = append(times, time.Since(began))
			time.Sleep(took(len(times)))
			return nil
		}, nil
	})
	return times, err
}

func TestPace(t *testing.T) {
	ms := func(n ...int) (times []time.Duration) {
		for _, i := range n {
			times = append(times, time.Duration(i)*time.Millisecond)
		}
		return times
	}
	for name, c := range map[string]struct {
		slow        map[int]time.Duration // how long sending some of them takes
		want        []time.Duration
		late, worst uint64
	}{
		"even":                         {nil, ms(0, 10, 20, 30, 40), 0, 0},
		"slow":                         {map[int]time.Duration{2: 7 * time.Millisecond}, ms(0, 10, 20, 30, 40), 0, 0},
		"too slow once":                {map[int]time.Duration{2: 15 * time.Millisecond}, ms(0, 10, 25, 30, 40), 0, 5000},
		"what is due then is sent":     {map[int]time.Duration{1: 32 * time.Millisecond}, ms(0, 32, 32, 32, 40), 2, 22_000},
		"exactly when the next is due": {map[int]time.Duration{1: 20 * time.Millisecond}, ms(0, 20, 20, 30, 40), 1, 10_000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := bubblePacer(Pace{Rate: 100, Frames: 5})
				p.signals <- syscall.SIGUSR2
				got, err := p.sends(t.Context(), func(n int) time.Duration { return c.slow[n] })
				if err != nil || !slices.Equal(got, c.want) {
					t.Errorf("sent at %v, %v; want %v", got, err, c.want)
				}
				if p.sent.Load() != 5 || p.late.Load() != c.late || p.worst.Load() != c.worst {
					t.Errorf("sent %d, late %d, worst %d µs; want 5, %d, %d", p.sent.Load(), p.late.Load(), p.worst.Load(), c.late, c.worst)
				}
			})
		})
	}
}

func TestPaceBeginsAndEndsWhenTold(t *testing.T) {
	for name, end := range map[string]func(p *pacer, stop func()){
		"by a signal":    func(p *pacer, _ func()) { p.signals <- syscall.SIGUSR2 },
		"by its context": func(_ *pacer, stop func()) { stop() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := bubblePacer(Pace{Rate: 1000})
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				ended := make(chan error, 1)
				go func() {
					_, err := p.sends(ctx, func(int) time.Duration { return 0 })
					ended <- err
				}()
				time.Sleep(time.Minute)
				if n := p.sent.Load(); n != 0 {
					t.Errorf("%d were sent before it was told to", n)
				}
				p.signals <- syscall.SIGUSR2
				time.Sleep(time.Minute - time.Millisecond/2)
				end(p, stop)
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if n := p.sent.Load(); n != 60_000 {
					t.Errorf("%d were sent in a minute, at 1000 a second", n)
				}
			})
		})
	}
}

func TestPaceEndsWithAnError(t *testing.T) {
	broken := errors.New("broken")
	for name, prepare := range map[string]func(timed) (func() error, error){
		"prepare": func(timed) (func() error, error) { return nil, broken },
		"send":    func(timed) (func() error, error) { return func() error { return broken }, nil },
	} {
		p := bubblePacer(Pace{Rate: 1000, Frames: 2})
		p.signals <- syscall.SIGUSR2
		if err := p.run(t.Context(), prepare); !errors.Is(err, broken) {
			t.Errorf("%s: got %v", name, err)
		}
		if p.sent.Load() != 0 {
			t.Errorf("%s: it was counted", name)
		}
	}
}

func TestPaceOfUnknownType(t *testing.T) {
	for _, p := range []Pace{{Rate: 1, Type: dataapi.Location}, {Rate: 1, Type: dataapi.DownlinkResponse}, {Rate: 1, Type: dataapi.DownlinkResponse, Frames: MaxDownlinks + 1}} {
		if _, err := newPacer(p, &Flood{Size: 560}); err == nil {
			t.Errorf("%+v can be made", p)
		}
	}
}
