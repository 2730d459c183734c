package egress

import "net/netip"

var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052 §2.1
	sixToFour = netip.MustParsePrefix("2002::/16")    // RFC 3056 §2
	// compatible is the IPv4-compatible form, which RFC 4291 §2.5.5.1 gave up.
	compatible = netip.MustParsePrefix("::/96")

	loopback4 = netip.MustParseAddr("127.0.0.1")
	loopback6 = netip.IPv6Loopback()
)

// plain is an address without its zone, and an IPv4 address that is mapped into IPv6 as itself: rules know neither, and
// netip.Prefix contains nothing that has a zone.
func plain(a netip.Addr) netip.Addr { return a.WithZone("").Unmap() }

// destinations are the addresses whose host a connection to a, which is plain, may reach. The system takes the
// unspecified address for this machine; gateways of several kinds find an IPv4 address inside an IPv6 one.
func destinations(a netip.Addr) []netip.Addr {
	all := []netip.Addr{a}
	bytes := a.As16()
	switch {
	case a.IsUnspecified():
		return append(all, loopback4, loopback6)
	case a == loopback6:
	case nat64.Contains(a), compatible.Contains(a):
		all = append(all, netip.AddrFrom4([4]byte(bytes[12:])))
	case sixToFour.Contains(a):
		all = append(all, netip.AddrFrom4([4]byte(bytes[2:6])))
	}
	return all
}

// permitted are the addresses of which one has to be allowed for a, which is plain: itself, and what a NAT64 makes of
// it, for in a network without IPv4 that is how an IPv4 address is reached.
func permitted(a netip.Addr) []netip.Addr {
	if nat64.Contains(a) {
		return destinations(a)
	}
	return []netip.Addr{a}
}
