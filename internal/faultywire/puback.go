package faultywire

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
)

// PubackProxy stands between MQTT clients and a broker. It understands the packets, can hold back, reorder or lose
// PUBACKs, and can break the wire in several ways. All of it happens at the call and is undone by a call, never by
// time. It serves mqtt:// only: TLS would hide the packets, and WebSocket frames are not taken apart.
type PubackProxy struct {
	listener net.Listener
	target   string
	watch    Watcher
	ctx      context.Context // ends with Close
	end      context.CancelFunc
	running  sync.WaitGroup

	Changes // raised at each change of what follows

	mu    sync.Mutex       // guards what follows
	links []*link          // open ones
	gates [2]chan struct{} // by direction; closed while packets may go through
	treat treatment
	group int // for reverse and drop
	turn  int // PUBACKs since the last one dropped

	accepted    int
	connects    int
	dropped     int
	maxInFlight int
	closed      bool
}

// treatment is what happens to a PUBACK.
type treatment int

const (
	pass treatment = iota
	withhold
	reverse
	drop
)

// Watcher is told of the publishes and PUBACKs that pass a [PubackProxy]. Its methods are called by several goroutines,
// some of them with the proxy locked: they must be quick and not call the proxy. Links are numbered as they come, from 1.
type Watcher interface {
	// Published is called before the broker gets a PUBLISH, for each link in order. The packet's bytes may be kept.
	Published(link int, p Packet)
	// Acknowledged is called when the broker has sent a PUBACK, whatever becomes of it.
	Acknowledged(link int, id uint16)
	// Passed is called before a PUBACK goes on to the client.
	Passed(link int, id uint16)
}

type nobody struct{}

func (nobody) Published(int, Packet)    {}
func (nobody) Acknowledged(int, uint16) {}
func (nobody) Passed(int, uint16)       {}

// NewPubackProxy starts a proxy in front of the broker at target ("host:port"), which [PubackProxy.Close] ends. The
// watcher may be nil.
func NewPubackProxy(target string, watch Watcher) (*PubackProxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start a PUBACK proxy: %w", err)
	}
	if watch == nil {
		watch = nobody{}
	}
	p := &PubackProxy{listener: listener, target: target, watch: watch}
	p.ctx, p.end = context.WithCancel(context.Background())
	for direction := range p.gates {
		p.gates[direction] = make(chan struct{})
		close(p.gates[direction])
	}
	p.running.Go(p.accept)
	return p, nil
}

// Close ends the proxy and all its connections.
func (p *PubackProxy) Close() {
	p.end()
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Cut()
	p.running.Wait()
}

// Address is where clients connect, as host:port.
func (p *PubackProxy) Address() string { return p.listener.Addr().String() }

// URI is where clients connect, as a URI.
func (p *PubackProxy) URI() string { return "mqtt://" + p.Address() }

// Pass lets PUBACKs through from now on. Those held back stay so until [PubackProxy.Release].
func (p *PubackProxy) Pass() { p.set(pass, 0) }

// Withhold holds back every PUBACK from now on.
func (p *PubackProxy) Withhold() { p.set(withhold, 0) }

// Reverse holds PUBACKs back until there are n of one client, then lets these through with the last first, and so on.
func (p *PubackProxy) Reverse(n int) { p.set(reverse, n) }

// Drop loses every PUBACK from now on.
func (p *PubackProxy) Drop() { p.set(drop, 1) }

// DropEvery loses every n-th PUBACK from now on, and lets the others through.
func (p *PubackProxy) DropEvery(n int) { p.set(drop, n) }

func (p *PubackProxy) set(treat treatment, group int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.treat, p.group, p.turn = treat, group, 0
}

// Release lets up to n PUBACKs through that were held back, of each client, in the order in which they came. It
// returns how many.
func (p *PubackProxy) Release(n int) int {
	return p.release(func(l *link) []Packet {
		n := min(n, len(l.held))
		released := l.held[:n:n]
		l.held = l.held[n:]
		return released
	})
}

// ReleaseReversed lets all PUBACKs through that were held back, the last first. It returns how many.
func (p *PubackProxy) ReleaseReversed() int {
	return p.release(func(l *link) []Packet {
		released := l.held
		l.held = nil
		slices.Reverse(released)
		return released
	})
}

func (p *PubackProxy) release(choose func(*link) []Packet) int {
	type batch struct {
		link    *link
		packets []Packet
	}
	var batches []batch
	total := 0
	p.mu.Lock()
	for _, l := range p.links {
		packets := choose(l)
		l.settle(packets)
		batches = append(batches, batch{l, packets})
		total += len(packets)
	}
	p.mu.Unlock()
	for _, b := range batches {
		_ = b.link.sendToClient(b.packets, true) // a client that has gone is not our concern
	}
	p.Raise()
	return total
}

// Held is how many PUBACKs are held back.
func (p *PubackProxy) Held() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, l := range p.links {
		n += len(l.held)
	}
	return n
}

// Dropped is how many PUBACKs were lost by [PubackProxy.Drop].
func (p *PubackProxy) Dropped() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropped
}

// Connects is how many CONNECT packets have passed.
func (p *PubackProxy) Connects() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.connects
}

// InFlight is how many publishes of all clients have arrived here whose PUBACK has not been let through.
func (p *PubackProxy) InFlight() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, l := range p.links {
		n += len(l.inFlight)
	}
	return n
}

// MaxInFlight is the most publishes that one client ever had in flight here.
func (p *PubackProxy) MaxInFlight() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.maxInFlight
}

// Stall stops everything that goes in the direction: the sender sees a peer that reads no more, the receiver silence.
func (p *PubackProxy) Stall(direction Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.gates[direction]:
		p.gates[direction] = make(chan struct{})
	default: // stalled already
	}
}

// Resume ends a [PubackProxy.Stall].
func (p *PubackProxy) Resume(direction Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.gates[direction]:
	default:
		close(p.gates[direction])
	}
}

// Cut breaks every connection with a reset in both directions. New ones are served.
func (p *PubackProxy) Cut() {
	for _, l := range p.opened() {
		l.cut()
	}
}

// HalfClose ends the stream in the direction, as a peer does that will send no more, and leaves the other one open.
func (p *PubackProxy) HalfClose(direction Direction) {
	for _, l := range p.opened() {
		l.halfClose(direction)
	}
}

func (p *PubackProxy) opened() []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.links)
}
