package part

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// FeederStored is the feeder's count of frames that JetStream has acknowledged.
const FeederStored = "feeder_stored_total"

// The stream that the feeder fills. Its one subject says nothing of a frame: whoever wrote it has not looked into it.
const (
	FloodStream  = "flood"
	floodSubject = "flood.frames"
)

const (
	// feederPending is how many frames the feeder leaves unacknowledged.
	feederPending = 4096
	// natsPatience is how long JetStream may take for anything.
	natsPatience = 30 * time.Second
)

// Feeder stores the flood in a JetStream, a message for each frame: what the bridge finds there.
type Feeder struct {
	Listen string // where its numbers are
	NATS   string // host:port
	Flood  Flood
}

// Run stores the flood, then waits for ctx to end.
func (f Feeder) Run(ctx context.Context) error {
	var stored atomic.Uint64
	return show(ctx, f.Listen, []number{{FeederStored, &stored}}, func(ctx context.Context) error {
		nc, err := nats.Connect("nats://" + f.NATS)
		if err != nil {
			return fmt.Errorf("connect to NATS on %s: %w", f.NATS, err)
		}
		defer nc.Close()
		if err := f.fill(ctx, nc, &stored); err != nil {
			return fmt.Errorf("fill stream %s: %w", FloodStream, err)
		}
		<-ctx.Done()
		return nil
	})
}

func (f Feeder) fill(ctx context.Context, nc *nats.Conn, stored *atomic.Uint64) error {
	ns, err := f.Flood.networkServer()
	if err != nil {
		return err
	}
	var refused atomic.Pointer[error]
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(feederPending),
		jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, _ *nats.Msg, err error) { refused.Store(&err) }))
	if err != nil {
		return err
	}
	_, err = js.CreateStream(ctx, jetstream.StreamConfig{
		Name: FloodStream, Subjects: []string{floodSubject}, Storage: jetstream.FileStorage,
	})
	if err != nil {
		return err
	}
	for i := range f.Flood.Frames {
		if _, err := js.PublishAsync(floodSubject, ns.FloodFrame(i+1), jetstream.WithStallWait(natsPatience)); err != nil {
			return fmt.Errorf("store frame %d: %w", i+1, err)
		}
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(natsPatience):
		return errors.New("some frames are not acknowledged")
	}
	if err := refused.Load(); err != nil {
		return *err
	}
	stored.Store(f.Flood.Frames)
	return nil
}
