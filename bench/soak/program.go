package soak

import (
	"context"
	"sync"

	"github.com/lorry-mqtt/lorry/bench/process"
)

// program is a process that goes and comes back.
type program struct {
	name    string
	dir     string // for its output
	listens string // host:port
	args    []string
	life    context.Context // kills it when it ends

	mu      sync.Mutex
	running *process.Process
	wanted  bool // whether it is to be running
}

// start starts it and returns when it listens.
func (p *program) start(ctx context.Context) error {
	started, err := process.Start(p.life, p.dir, p.name, p.args...)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.running = started
	p.mu.Unlock()
	if err := started.AwaitListening(ctx, p.listens); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = true
	return nil
}

// kill ends it as a crash does.
func (p *program) kill() {
	if running := p.leave(); running != nil {
		running.Kill()
	}
}

// stop asks it to end. It is an error if it does so with another status than 0.
func (p *program) stop() error {
	if running := p.leave(); running != nil {
		return running.Stop()
	}
	return nil
}

func (p *program) leave() *process.Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = false
	return p.running
}

// check returns an error if it has ended and nobody wanted it to.
func (p *program) check() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.wanted {
		return nil
	}
	return p.running.Check()
}
