package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Rule is one entry of egress.deny or egress.allow: a block of addresses, or one or more host names. The zero value
// matches nothing; values are comparable.
type Rule struct {
	block netip.Prefix // or:
	name  string       // in lower case, without the dot that may end it
	below bool         // the names below name, and not name itself
}

// ParseRule reads a CIDR ("10.0.0.0/8", "fd00::/8"), a single address, a host name, or "*.example" for all names below
// example, however deep. An IPv6 block covers no IPv4 address.
func ParseRule(s string) (Rule, error) {
	switch {
	case s == "":
		return Rule{}, errors.New("is empty: give a CIDR, an address or a host name")
	case strings.Contains(s, "/"):
		return parseBlock(s)
	}
	if address, err := netip.ParseAddr(s); err == nil {
		if address.Zone() != "" {
			return Rule{}, errors.New("has a zone: an address is meant in every zone; leave the % and what follows away")
		}
		address = address.Unmap()
		return Rule{block: netip.PrefixFrom(address, address.BitLen())}, nil
	}
	return parseName(s)
}

func parseBlock(s string) (Rule, error) {
	block, err := netip.ParsePrefix(s)
	if err != nil {
		return Rule{}, errors.New("is not a CIDR such as 10.0.0.0/8 or fd00::/8")
	}
	if masked := block.Masked(); masked != block {
		return Rule{}, fmt.Errorf("has bits set beyond its length: write %s", masked)
	}
	const mapped = 96 // bits before the IPv4 address in ::ffff:0:0/96
	if block.Addr().Is4In6() && block.Bits() >= mapped {
		block = netip.PrefixFrom(block.Addr().Unmap(), block.Bits()-mapped)
	}
	return Rule{block: block}, nil
}

func parseName(s string) (Rule, error) {
	name, below := strings.CutPrefix(canonicalHost(s), "*.")
	switch {
	case name == "*":
		return Rule{}, errors.New("would be every name: write 0.0.0.0/0 and ::/0 for all addresses")
	case strings.Contains(name, "*"):
		return Rule{}, errors.New(`has a "*" that is not its first part: *.example is all names below example`)
	case strings.ContainsAny(name, ":[]"):
		return Rule{}, errors.New("must be a CIDR, an address or a host name, without brackets, scheme and port")
	case len(name) > 253:
		return Rule{}, errors.New("is longer than a host name may be, 253 characters")
	}
	label := ""
	for label = range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notInLabel) {
			return Rule{}, errors.New("is neither CIDR nor address nor host name; an international name is written in its xn-- form")
		}
	}
	if !strings.ContainsFunc(label, func(r rune) bool { return r < '0' || r > '9' }) {
		return Rule{}, errors.New("ends in a number, as no host name does, and is no address") // RFC 1123 §2.1
	}
	return Rule{name: name, below: below}, nil
}

// notInLabel allows "_", which some private names have.
func notInLabel(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// canonicalHost is a host name as names are compared: in lower case, without the dot that may end it. Host names are
// ASCII (RFC 1123 §2.1); what is not is left as it is and equals no rule.
func canonicalHost(host string) string {
	lower := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, host)
	return strings.TrimSuffix(lower, ".")
}

// matchesName reports whether the rule names the host, which is canonical.
func (r Rule) matchesName(host string) bool {
	if r.below {
		return strings.HasSuffix(host, "."+r.name)
	}
	return r.name != "" && r.name == host
}

// String is the rule as it is written.
func (r Rule) String() string {
	switch {
	case r.below:
		return "*." + r.name
	case r.name != "":
		return r.name
	case !r.block.IsValid():
		return ""
	case r.block.IsSingleIP():
		return r.block.Addr().String()
	}
	return r.block.String()
}

// MarshalText encodes as [Rule.String] writes.
func (r Rule) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText decodes as [ParseRule] reads.
func (r *Rule) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRule(string(text))
	return err
}
