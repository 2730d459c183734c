package part

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/bench/process"
)

// within is how long a test waits for what must come.
const within = 30 * time.Second

// running runs a part at a free address until the test is over. It fails the test if the part does.
func running(t *testing.T, part func(listen string) func(ctx context.Context) error) (address string) {
	t.Helper()
	address, err := process.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	run := part(address)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	poll(t, func() error {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err
	})
	return address
}

// awaitNumber waits until a part shows a number that is n, or more.
func awaitNumber(t *testing.T, address, name string, n float64) float64 {
	t.Helper()
	gauge, last := process.NewGauge(address), 0.0
	poll(t, func() error {
		numbers, err := gauge.Read(t.Context())
		if last = numbers[name]; err == nil && last < n {
			return context.DeadlineExceeded
		}
		return err
	})
	return last
}

// poll tries something until it succeeds.
func poll(t *testing.T, try func() error) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(within); ; <-tick.C {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
