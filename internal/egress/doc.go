// Package egress keeps connections to brokers and Network Servers to where they may lead: whoever may configure a
// connection must not be able to reach, through lorry, what only lorry's own network is meant to.
//
// A connection to an address of a host is let through if both hold:
//
//   - No rule of deny matches: neither the host's name nor the address. Deny wins over allow.
//   - There is no rule in allow, or one matches: the host's name or the address.
//
// Names are compared as they stand in the URI; what a name resolves to is judged as addresses, each at the moment it is
// dialled, so that a name whose addresses change between a check and a dial gains nothing. A rule of allow that names
// a host trusts whoever answers for that name, within what deny lets through.
//
// An IPv4 address mapped into IPv6 (::ffff:0:0/96) is that IPv4 address, and zones (%eth0) do not count. Deny also
// looks at the IPv4 address inside those of NAT64 (64:ff9b::/96), 6to4 (2002::/16) and the IPv4-compatible form, and
// takes the unspecified addresses for loopback, which is where the system sends them. A NAT64 prefix of a network's own
// needs a rule of its own.
//
//	rule.go     Rule: what may stand in the lists
//	address.go  what an address leads to
//	policy.go   Policy: the decision, and the dial that obeys it
package egress
