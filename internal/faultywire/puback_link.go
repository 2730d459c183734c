package faultywire

import (
	"bufio"
	"net"
	"slices"
	"sync"
)

// link is one client's connection through a [PubackProxy].
type link struct {
	proxy          *PubackProxy
	number         int // in the order of acceptance, from 1
	client, broker *net.TCPConn
	ended          chan struct{}
	end            sync.Once

	held     []Packet            // PUBACKs held back; guarded by proxy.mu
	inFlight map[uint16]struct{} // publishes not acknowledged; guarded by proxy.mu
	shut     [2]bool             // by direction, nothing is passed on any more; guarded by proxy.mu

	sending sync.Mutex // for toClient, which the broker's packets and released PUBACKs share
	toHere  *bufio.Writer
}

func (p *PubackProxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		broker, err := new(net.Dialer).DialContext(p.ctx, "tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		l := &link{
			proxy: p, client: client.(*net.TCPConn), broker: broker.(*net.TCPConn),
			ended: make(chan struct{}), inFlight: map[uint16]struct{}{}, toHere: bufio.NewWriter(client),
		}
		p.mu.Lock()
		p.accepted++
		l.number = p.accepted
		p.links = append(p.links, l)
		closed := p.closed
		p.mu.Unlock()
		if closed {
			l.cut()
		}
		p.running.Go(func() { l.run(ToBroker, l.client, l.passToBroker) })
		p.running.Go(func() { l.run(ToClient, l.broker, l.passToClient) })
	}
}

// run reads packets from one end and passes them until that end says no more or the link is cut. The end of one
// direction is passed on as such, since the other may go on.
func (l *link) run(direction Direction, from *net.TCPConn, pass func(p Packet, last bool) error) {
	r := bufio.NewReader(from)
	for {
		p, err := ReadPacket(r)
		if err != nil {
			break
		}
		open, ok := l.proxy.enter(direction, l)
		if !ok {
			break
		}
		if open && pass(p, r.Buffered() == 0) != nil {
			break
		}
	}
	select {
	case <-l.ended: // a reset must not look like a good end
		return
	default:
	}
	l.halfClose(direction)
	if direction == ToClient { // a broker that has gone takes its client along
		l.close()
	}
}

// enter waits while the direction is stalled. It reports whether packets are passed on or discarded, and with ok
// whether there is a link at all.
func (p *PubackProxy) enter(direction Direction, l *link) (open, ok bool) {
	p.mu.Lock()
	gate := p.gates[direction]
	p.mu.Unlock()
	select {
	case <-gate:
	case <-l.ended:
		return false, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return !l.shut[direction], true
}

func (l *link) passToBroker(p Packet, _ bool) error {
	l.proxy.mu.Lock()
	switch p.kind() {
	case typeConnect:
		l.proxy.connects++
	case typePublish:
		if id, ok := p.ID(); ok {
			l.inFlight[id] = struct{}{}
			l.proxy.maxInFlight = max(l.proxy.maxInFlight, len(l.inFlight))
		}
	}
	l.proxy.mu.Unlock()
	l.proxy.Raise()
	if p.kind() == typePublish {
		l.proxy.watch.Published(l.number, p)
	}
	_, err := l.broker.Write(p.Raw)
	return err
}

func (l *link) passToClient(p Packet, last bool) error {
	out := []Packet{p}
	if id, ok := p.ID(); ok && p.kind() == typePuback {
		l.proxy.watch.Acknowledged(l.number, id)
		out = l.acknowledge(p)
	}
	return l.sendToClient(out, last)
}

// acknowledge decides which PUBACKs go out now that p has come.
func (l *link) acknowledge(p Packet) []Packet {
	defer l.proxy.Raise()
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	var out []Packet
	switch l.proxy.treat {
	case pass:
		out = []Packet{p}
	case drop:
		if l.proxy.turn++; l.proxy.turn < l.proxy.group {
			out = []Packet{p}
			break
		}
		l.proxy.turn = 0
		l.proxy.dropped++
	case withhold:
		l.held = append(l.held, p)
	case reverse:
		if l.held = append(l.held, p); len(l.held) >= l.proxy.group {
			out, l.held = l.held, nil
			slices.Reverse(out)
		}
	}
	l.settle(out)
	return out
}

// settle counts the publishes as acknowledged, before their PUBACKs are sent: the client may answer one with the next
// publish at once. The caller holds proxy.mu.
func (l *link) settle(pubacks []Packet) {
	for _, p := range pubacks {
		if id, ok := p.ID(); ok {
			delete(l.inFlight, id)
			l.proxy.watch.Passed(l.number, id)
		}
	}
}

// sendToClient writes the packets, and what is buffered with them if flush is set.
func (l *link) sendToClient(packets []Packet, flush bool) error {
	l.sending.Lock()
	defer l.sending.Unlock()
	for _, p := range packets {
		if _, err := l.toHere.Write(p.Raw); err != nil {
			return err
		}
	}
	if flush {
		return l.toHere.Flush()
	}
	return nil
}

func (l *link) halfClose(direction Direction) {
	l.proxy.mu.Lock()
	l.shut[direction] = true
	l.proxy.mu.Unlock()
	if direction == ToBroker {
		_ = l.broker.CloseWrite()
		return
	}
	_ = l.client.CloseWrite()
}

// cut resets both connections.
func (l *link) cut() {
	_ = l.client.SetLinger(0)
	_ = l.broker.SetLinger(0)
	l.close()
}

func (l *link) close() {
	l.end.Do(func() {
		close(l.ended)
		_ = l.client.Close()
		_ = l.broker.Close()
		l.proxy.mu.Lock()
		l.proxy.links = slices.DeleteFunc(l.proxy.links, func(other *link) bool { return other == l })
		l.proxy.mu.Unlock()
		l.proxy.Raise()
	})
}
