package egress_test

import (
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/egress"
)

func TestParseRule(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "0.0.0.0/0": "0.0.0.0/0", "::/0": "::/0", "FD00::/8": "fd00::/8",
		"192.0.2.1": "192.0.2.1", "192.0.2.1/32": "192.0.2.1", "::1": "::1", "2001:DB8:0::1": "2001:db8::1",
		"::ffff:10.0.0.0/104": "10.0.0.0/8", "::ffff:10.0.0.1": "10.0.0.1",
		"broker.example": "broker.example", "Broker.Example.": "broker.example", "localhost": "localhost",
		"*.example": "*.example", "*.Internal.Example": "*.internal.example", "a_b.example": "a_b.example",
		"xn--bcher-kva.example": "xn--bcher-kva.example", "1.a": "1.a",
	} {
		rule, err := egress.ParseRule(text)
		if err != nil || rule.String() != want {
			t.Errorf("%q is read as %q, %v; want %q", text, rule, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "is empty", "10.0.0.1/8": "write 10.0.0.0/8", "10.0.0.0/33": "not a CIDR", "10.0.0/8": "not a CIDR",
		"fe80::%eth0/64": "not a CIDR", "fe80::1%eth0": "has a zone", "[::1]": "without brackets", "broker.example:1883": "and port",
		"mqtt://broker.example": "not a CIDR", "*": "0.0.0.0/0 and ::/0", "*.*": "0.0.0.0/0 and ::/0", "*.": "0.0.0.0/0 and ::/0", "a.*.example": "not its first part",
		"*a.example": "not its first part", ".": "neither", "a..b": "neither", "a b": "neither", "bücher.example": "xn--",
		"10.0.0": "ends in a number", "10.0.0.256": "ends in a number", "2130706433": "ends in a number",
		strings.Repeat("a", 64) + ".example": "neither", strings.Repeat("a.", 130) + "example": "253",
		"::ffff:0:0/95": "write ::fffe:0:0/95",
	} {
		if rule, err := egress.ParseRule(text); err == nil || !strings.Contains(err.Error(), want) || rule != (egress.Rule{}) {
			t.Errorf("%q: %q, %v; want %q", text, rule, err, want)
		}
	}
}

// What is read can be written and read again, and a rule matches what it says.
func FuzzParseRule(f *testing.F) {
	for _, s := range []string{"10.0.0.0/8", "::ffff:10.0.0.0/104", "192.0.2.1", "::1", "fe80::1%eth0", "*.example", "Broker.Example.", "10.0.0", "*", "[::1]:80", "a..b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rule, err := egress.ParseRule(s)
		if err != nil {
			if rule != (egress.Rule{}) {
				t.Fatalf("a rule with an error: %q", rule)
			}
			return
		}
		again, err := egress.ParseRule(rule.String())
		if err != nil || again != rule {
			t.Fatalf("%q is written %q and read again as %q, %v", s, rule, again, err)
		}
		host := strings.Replace(rule.String(), "*", "a", 1)
		if strings.Contains(host, "/") {
			host, _, _ = strings.Cut(host, "/")
		}
		if err := (&egress.Policy{Deny: []egress.Rule{rule}}).CheckHost(host); err == nil {
			t.Fatalf("%q does not match %q", rule, host)
		}
		if err := (&egress.Policy{Allow: []egress.Rule{rule}}).CheckHost(host); err != nil {
			t.Fatalf("%q does not match %q: %v", rule, host, err)
		}
	})
}
