package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
)

// Policy says where connections may lead. The zero value lets everything through. It must not be changed while in use
// and is safe for concurrent use otherwise.
type Policy struct {
	Deny, Allow []Rule
	Resolver    *net.Resolver // nil: net.DefaultResolver
}

// The lists, as the configuration calls them.
const (
	denyList  = "egress.deny"
	allowList = "egress.allow"
)

// RefusedError says that the policy does not let a connection through. Trying again does not help, unless the host has
// other addresses by then.
type RefusedError struct {
	Host    string     // as it was to be dialled
	Address netip.Addr // of the host; the zero Addr where the name was enough
	List    string     // egress.deny or egress.allow
	Rule    Rule       // of egress.deny that matches; the zero Rule where none of egress.allow does
	// Partly says that other addresses of the host were let through and did not answer.
	Partly bool
}

// Error says what was refused and by which rule.
func (e *RefusedError) Error() string {
	what := fmt.Sprintf("host %q", e.Host)
	if e.Address.IsValid() {
		what = fmt.Sprintf("address %s of host %q", e.Address, e.Host)
		if e.Host == e.Address.String() {
			what = "address " + e.Host
		}
	}
	text := what + " is not in " + e.List
	if e.List == denyList {
		text = fmt.Sprintf("%s is refused by %s: %s", what, e.List, e.Rule)
	}
	if e.Partly {
		text += "; the host's other addresses do not answer"
	}
	return text + " (this node's configuration says where connections may lead)"
}

// Refused reports whether it stays so until somebody changes something.
func (e *RefusedError) Refused() bool { return !e.Partly }

// CheckHost returns a [*RefusedError] if no connection to the host, a name or an address, can be let through, whatever
// the name resolves to. A nil error promises nothing: the addresses count.
func (p *Policy) CheckHost(host string) error {
	if address, err := netip.ParseAddr(host); err == nil {
		return p.checkAddress(host, address)
	}
	name := canonicalHost(host)
	for _, r := range p.Deny {
		if r.matchesName(name) {
			return &RefusedError{Host: host, List: denyList, Rule: r}
		}
	}
	for _, r := range p.Allow {
		if r.block.IsValid() || r.matchesName(name) {
			return nil
		}
	}
	if len(p.Allow) > 0 {
		return &RefusedError{Host: host, List: allowList}
	}
	return nil
}

// checkAddress judges an address of a host that CheckHost has let through, or one that is dialled by itself.
func (p *Policy) checkAddress(host string, address netip.Addr) error {
	address = plain(address)
	for _, r := range p.Deny {
		if slices.ContainsFunc(destinations(address), r.block.Contains) {
			return &RefusedError{Host: host, Address: address, List: denyList, Rule: r}
		}
	}
	name := canonicalHost(host)
	for _, r := range p.Allow {
		if r.matchesName(name) || slices.ContainsFunc(permitted(address), r.block.Contains) {
			return nil
		}
	}
	if len(p.Allow) > 0 {
		return &RefusedError{Host: host, Address: address, List: allowList}
	}
	return nil
}

// DialContext opens a TCP connection as net.Dialer does, but to no address that the policy refuses: each is judged at
// the socket, after the name was resolved and before a packet is sent. Refused addresses of a host are passed over.
// If that leaves none, the error is a [*RefusedError].
func (p *Policy) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial %q: %w", address, err)
	}
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, fmt.Errorf("dial %s: network %q is none of tcp, tcp4 and tcp6", address, network)
	}
	if err := p.CheckHost(host); err != nil {
		return nil, err
	}
	var throughs atomic.Bool
	dialer := net.Dialer{Resolver: p.Resolver, ControlContext: func(_ context.Context, _, socket string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(socket)
		if err != nil {
			return fmt.Errorf("egress: the address %q cannot be judged: %w", socket, err)
		}
		if err := p.checkAddress(host, to.Addr()); err != nil {
			return err
		}
		throughs.Store(true)
		return nil
	}}
	conn, err := dialer.DialContext(ctx, network, address)
	if err == nil {
		return conn, nil
	}
	// net.Dialer returns the error of the first address, whatever became of the others.
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		refused.Partly = throughs.Load()
		return nil, refused
	}
	return nil, err
}
