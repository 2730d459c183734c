package testkit

import (
	"net"
	"slices"
	"sync"
	"testing"
)

// Direction is a way through a wire.
type Direction int

// The two ways through a proxy.
const (
	ToBroker Direction = iota
	ToClient
)

// PubackProxy stands between MQTT clients and a broker. It understands the packets, can hold back, reorder or lose
// PUBACKs, and can break the wire in several ways. All of it happens at the call and is undone by a call, never by
// time. It serves mqtt:// only: TLS would hide the packets, and WebSocket frames are not taken apart.
type PubackProxy struct {
	t        testing.TB
	listener net.Listener
	target   string
	running  sync.WaitGroup

	signal // raised at each change of what follows

	mu    sync.Mutex       // guards what follows
	links []*link          // open ones
	gates [2]chan struct{} // by direction; closed while packets may go through
	treat treatment
	group int // for reverse

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

// NewPubackProxy starts a proxy in front of the broker at target ("host:port"). It ends with the test.
func NewPubackProxy(t testing.TB, target string) *PubackProxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("testkit: start a PUBACK proxy: %v", err)
	}
	p := &PubackProxy{t: t, listener: listener, target: target}
	for direction := range p.gates {
		p.gates[direction] = make(chan struct{})
		close(p.gates[direction])
	}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		p.Cut()
		p.running.Wait()
	})
	return p
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
func (p *PubackProxy) Drop() { p.set(drop, 0) }

func (p *PubackProxy) set(treat treatment, group int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.treat, p.group = treat, group
}

// Release lets up to n PUBACKs through that were held back, of each client, in the order in which they came. It
// returns how many.
func (p *PubackProxy) Release(n int) int {
	return p.release(func(l *link) []packet {
		n := min(n, len(l.held))
		released := l.held[:n:n]
		l.held = l.held[n:]
		return released
	})
}

// ReleaseReversed lets all PUBACKs through that were held back, the last first. It returns how many.
func (p *PubackProxy) ReleaseReversed() int {
	return p.release(func(l *link) []packet {
		released := l.held
		l.held = nil
		slices.Reverse(released)
		return released
	})
}

func (p *PubackProxy) release(choose func(*link) []packet) int {
	type batch struct {
		link    *link
		packets []packet
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
	p.raise()
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

// AwaitHeld waits until at least n PUBACKs are held back.
func (p *PubackProxy) AwaitHeld(n int) {
	p.t.Helper()
	p.await(p.t, "PUBACKs to hold back", func() bool { return p.Held() >= n })
}

// Dropped is how many PUBACKs were lost by [PubackProxy.Drop].
func (p *PubackProxy) Dropped() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropped
}

// AwaitDropped waits until at least n PUBACKs were lost by [PubackProxy.Drop].
func (p *PubackProxy) AwaitDropped(n int) {
	p.t.Helper()
	p.await(p.t, "PUBACKs to lose", func() bool { return p.Dropped() >= n })
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

// AwaitInFlight waits until at least n publishes are in flight.
func (p *PubackProxy) AwaitInFlight(n int) {
	p.t.Helper()
	p.await(p.t, "publishes in flight", func() bool { return p.InFlight() >= n })
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
