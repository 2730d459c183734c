package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/process"
)

// stage is what one round runs on: a directory and the processes in it.
type stage struct {
	Options
	dir     string
	flood   part.Flood
	sync    string // how often lorry's store is synced, as its configuration has it; empty: as it comes
	fleet   int    // how many connections lorry has; 0: one, with the settings of all scenarios that need no more
	broker  *broker
	running []*process.Process
	killed  context.CancelFunc

	topicDown string // lorry's; empty: none
}

// newStage starts a broker for a flood of that many frames.
func newStage(ctx context.Context, o Options, frames uint64) (*stage, context.Context, error) {
	dir, err := os.MkdirTemp("", "lorry-bench-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a directory for a round: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &stage{
		Options: o, dir: dir, killed: cancel,
		flood: part.Flood{Frames: frames, Size: o.Size, Epoch: time.Now().Unix()},
	}
	if err := s.startBroker(ctx); err != nil {
		return nil, nil, errors.Join(err, s.close())
	}
	return s, ctx, nil
}

// close ends every process, the last started first, and removes the directory.
func (s *stage) close() error {
	var errs []error
	for _, p := range slices.Backward(s.running) {
		errs = append(errs, p.Stop())
	}
	s.killed()
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// start starts a program and waits until it listens.
func (s *stage) start(ctx context.Context, name, listens string, args ...string) (*process.Process, error) {
	p, err := process.Start(ctx, s.dir, name, args...)
	if err != nil {
		return nil, err
	}
	s.running = append(s.running, p)
	return p, p.AwaitListening(ctx, listens)
}

// startPart starts one of the benchmark's own parts at a free address, which it is told of by --listen.
func (s *stage) startPart(ctx context.Context, name string, args ...string) (*process.Process, string, error) {
	address, err := process.FreeAddress()
	if err != nil {
		return nil, "", err
	}
	p, err := s.start(ctx, name, address, append([]string{s.Bench, "part", name, "--listen", address}, args...)...)
	return p, address, err
}

func (s *stage) startPublisher(ctx context.Context) (*process.Process, string, error) {
	args := append(s.flood.Args(), "--broker", s.broker.address, "--window", strconv.Itoa(s.Window))
	return s.startPart(ctx, "publisher", args...)
}

func (s *stage) startSubscriber(ctx context.Context) (*process.Process, string, error) {
	return s.startPart(ctx, "subscriber", append(s.flood.Args(), "--broker", s.broker.subscribers)...)
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

func (s *stage) progress(format string, args ...any) {
	fmt.Fprintf(s.Progress, format+"\n", args...) //nolint:errcheck // there is nowhere else to say it
}
