package faultywire

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// Wire is a TCP connection's way to a server, for as many connections as come, that can be made to misbehave in every
// way a network does. It passes bytes on without looking at them, so TLS and WebSocket go through it, too. All of it
// happens at the call and is undone by a call, never by time; what a call does to a direction holds for connections
// that exist and that come later.
type Wire struct {
	target  string
	port    *Port
	ctx     context.Context // ends with Close
	end     context.CancelFunc
	running sync.WaitGroup

	Changes // raised at each change of what follows

	mu       sync.Mutex // guards what follows
	listener net.Listener
	strands  map[*strand]bool // open connections
	gates    [2]gate          // by direction
	accepted int
	bytes    [2]int64 // by direction
	closed   bool
}

// gate is what a direction lets through.
type gate struct {
	stalled bool
	limited bool
	allowed int64 // bytes still let through, if limited
}

// NewWire starts a wire to the server at target ("host:port"), which [Wire.Close] ends.
func NewWire(target string) (*Wire, error) {
	p, err := ReservePort()
	if err != nil {
		return nil, fmt.Errorf("start a wire: %w", err)
	}
	w := &Wire{target: target, port: p, strands: map[*strand]bool{}}
	w.ctx, w.end = context.WithCancel(context.Background())
	if err := w.Admit(); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// Close ends the wire and all its connections.
func (w *Wire) Close() {
	w.end()
	w.Refuse()
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.Cut()
	w.running.Wait()
	w.port.Release()
}

// Address is where clients connect, as host:port. It stays the same over Refuse and Admit.
func (w *Wire) Address() string { return w.port.address }

// Refuse has new connections refused, as by a machine on which nothing listens. Those that exist stay.
func (w *Wire) Refuse() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listener != nil {
		_ = w.listener.Close()
		w.listener = nil
	}
}

// Admit ends [Wire.Refuse].
func (w *Wire) Admit() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", w.port.address)
	if err != nil {
		return fmt.Errorf("admit connections to a wire: %w", err)
	}
	w.listener = l
	w.running.Go(func() { w.accept(l) })
	return nil
}

// Stall stops everything that goes in the direction, FIN and RST too: the sender sees a peer that reads no more, the
// receiver silence. New connections are accepted all the same.
func (w *Wire) Stall(direction Direction) {
	w.setGate(direction, func(g *gate) { g.stalled = true })
}

// Limit lets nothing through in the direction from now on but what [Wire.Release] allows.
func (w *Wire) Limit(direction Direction) {
	w.setGate(direction, func(g *gate) { g.limited, g.allowed = true, 0 })
}

// Release lets n more bytes through in a direction under [Wire.Limit], of whichever connection has some.
func (w *Wire) Release(direction Direction, n int64) {
	w.setGate(direction, func(g *gate) { g.allowed += n })
}

// Resume ends [Wire.Stall] and [Wire.Limit] in the direction. Nothing that was under way is lost.
func (w *Wire) Resume(direction Direction) {
	w.setGate(direction, func(g *gate) { *g = gate{} })
}

func (w *Wire) setGate(direction Direction, change func(*gate)) {
	w.mu.Lock()
	change(&w.gates[direction])
	w.mu.Unlock()
	w.Raise()
}

// Cut breaks every connection with a reset in both directions, stalled or not. New ones are accepted. It, CloseConnections
// and HalfClose concern the connections that have been accepted; one that the server knows of has been.
func (w *Wire) Cut() {
	for _, s := range w.open() {
		s.cut()
	}
}

// CloseConnections ends every connection in good order, with FIN in both directions. What the ends still send is lost.
func (w *Wire) CloseConnections() {
	w.HalfClose(ToServer)
	w.HalfClose(ToClient)
}

// HalfClose ends every connection's stream in the direction with FIN, as a peer does that will send no more, and
// leaves the other one open. What is still sent in the direction is lost without the sender's knowing.
func (w *Wire) HalfClose(direction Direction) {
	for _, s := range w.open() {
		s.halfClose(direction)
	}
}

func (w *Wire) open() []*strand {
	w.mu.Lock()
	defer w.mu.Unlock()
	strands := make([]*strand, 0, len(w.strands))
	for s := range w.strands {
		strands = append(strands, s)
	}
	return strands
}

// Accepted is how many connections have been accepted in all.
func (w *Wire) Accepted() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.accepted
}

// Open is how many connections there are now: accepted, and neither cut nor ended by both ends.
func (w *Wire) Open() int { return len(w.open()) }

// Bytes is how many bytes have gone through in the direction.
func (w *Wire) Bytes(direction Direction) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes[direction]
}
