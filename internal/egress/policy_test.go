package egress_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/egress"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

func rules(t *testing.T, texts ...string) []egress.Rule {
	t.Helper()
	var out []egress.Rule
	for _, text := range texts {
		rule, err := egress.ParseRule(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		out = append(out, rule)
	}
	return out
}

func list(text string) []string { return strings.Fields(text) }

func TestCheckHost(t *testing.T) {
	for _, c := range []struct {
		deny, allow, host string
		want              string // in the error; empty: it may be dialled
	}{
		{"", "", "broker.example", ""},
		{"", "", "127.0.0.1", ""},
		{"broker.example", "", "broker.example", `host "broker.example" is refused by egress.deny: broker.example`},
		{"broker.example", "", "BROKER.example.", `host "BROKER.example." is refused by egress.deny: broker.example`},
		{"broker.example", "", "a.broker.example", ""},
		{"*.example", "", "a.b.example", `refused by egress.deny: *.example`},
		{"*.example", "", "example", ""},
		{"*.example", "", "notexample", ""},
		{"127.0.0.0/8", "", "localhost", ""}, // its addresses count
		{"127.0.0.0/8", "", "127.0.0.1", "address 127.0.0.1 is refused by egress.deny: 127.0.0.0/8"},
		{"127.0.0.0/8", "", "::ffff:127.0.0.1", `address 127.0.0.1 of host "::ffff:127.0.0.1" is refused by egress.deny: 127.0.0.0/8`},
		{"127.0.0.0/8", "", "0.0.0.0", "refused by egress.deny: 127.0.0.0/8"},
		{"127.0.0.0/8", "", "::", "refused by egress.deny: 127.0.0.0/8"},
		{"::1", "", "0.0.0.0", "refused by egress.deny: ::1"},
		{"127.0.0.0/8", "", "::1", ""},
		{"0.0.0.0/0", "", "::1", ""},
		{"0.0.0.0/8", "", "::1", ""},
		{"::/0", "", "10.0.0.1", ""},
		{"::/0", "", "::ffff:10.0.0.1", ""},
		{"10.0.0.0/8", "", "64:ff9b::a00:1", "refused by egress.deny: 10.0.0.0/8"},
		{"10.0.0.0/8", "", "2002:a00:1::1", "refused by egress.deny: 10.0.0.0/8"},
		{"10.0.0.0/8", "", "::10.0.0.1", "refused by egress.deny: 10.0.0.0/8"},
		{"fe80::/10", "", "fe80::1%eth0", "address fe80::1 of host"},
		{"fe80::1", "", "fe80::1%1", "address fe80::1 of host"},
		{"", "broker.example", "broker.example", ""},
		{"", "broker.example", "other.example", `host "other.example" is not in egress.allow`},
		{"", "broker.example", "192.0.2.1", "address 192.0.2.1 is not in egress.allow"},
		{"", "broker.example 192.0.2.0/24", "other.example", ""}, // its addresses count
		{"", "192.0.2.0/24", "192.0.2.1", ""},
		{"", "192.0.2.0/24", "64:ff9b::192.0.2.1", ""},
		{"", "192.0.2.0/24", "2002:c000:201::1", "not in egress.allow"},
		{"", "192.0.2.0/24", "0.0.0.0", "not in egress.allow"},
		{"", "127.0.0.0/8", "0.0.0.0", "not in egress.allow"},
		{"*.example", "broker.example", "broker.example", "refused by egress.deny: *.example"},
		{"192.0.2.1", "192.0.2.0/24", "192.0.2.1", "refused by egress.deny: 192.0.2.1"},
	} {
		p := egress.Policy{Deny: rules(t, list(c.deny)...), Allow: rules(t, list(c.allow)...)}
		err := p.CheckHost(c.host)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("deny [%s], allow [%s], host %s: %v, want %q", c.deny, c.allow, c.host, err, c.want)
		}
	}
}

// door is a listener on loopback that counts who comes.
type door struct {
	net.Listener
	came chan struct{}
}

func open(t *testing.T) *door {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{l, make(chan struct{}, 100)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			d.came <- struct{}{}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return d
}

func (d *door) at(host string) string {
	_, port, _ := net.SplitHostPort(d.Addr().String())
	return net.JoinHostPort(host, port)
}

// dial dials and returns the error, or the address that was reached.
func dial(t *testing.T, p *egress.Policy, address string) (string, error) {
	t.Helper()
	conn, err := p.DialContext(t.Context(), "tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	return host, nil
}

func addresses(texts ...string) (out []netip.Addr) {
	for _, text := range texts {
		out = append(out, netip.MustParseAddr(text))
	}
	return out
}

func refused(t *testing.T, err error) *egress.RefusedError {
	t.Helper()
	e, ok := errors.AsType[*egress.RefusedError](err)
	if !ok {
		t.Fatalf("not refused: %v", err)
	}
	return e
}

// A name that led elsewhere when it was checked is judged by where it leads when it is dialled.
func TestANameThatIsRebound(t *testing.T) {
	d, dns := open(t), testkit.StartDNS(t)
	dns.Set("evil.example", addresses("192.0.2.1"), addresses("127.0.0.1"))
	p := &egress.Policy{Deny: rules(t, "127.0.0.0/8", "::1", "192.0.2.99"), Resolver: dns.Resolver()}
	first, err := p.Resolver.LookupNetIP(t.Context(), "ip4", "evil.example")
	if err != nil || !slices.Equal(first, addresses("192.0.2.1")) {
		t.Fatalf("the first lookup: %v, %v", first, err)
	}
	if err := p.CheckHost("evil.example"); err != nil {
		t.Fatal(err)
	}
	_, err = dial(t, p, d.at("evil.example"))
	if e := refused(t, err); e.Address != netip.MustParseAddr("127.0.0.1") || !e.Refused() ||
		!strings.Contains(e.Error(), `address 127.0.0.1 of host "evil.example" is refused by egress.deny: 127.0.0.0/8`) {
		t.Errorf("%v", e)
	}
	if n := dns.Lookups("evil.example"); n != 2 {
		t.Errorf("%d lookups, want the test's and one", n)
	}
	if len(d.came) != 0 {
		t.Error("it was connected in spite of that")
	}
}

func TestEveryAddressOfANameIsJudged(t *testing.T) {
	d, dns := open(t), testkit.StartDNS(t)
	dns.Set("all.example", addresses("127.0.0.2", "127.0.0.3", "::1", "127.0.0.1"))
	dial4 := func(deny, allow []egress.Rule) (string, error) {
		return dial(t, &egress.Policy{Deny: deny, Allow: allow, Resolver: dns.Resolver()}, d.at("all.example"))
	}
	if at, err := dial4(rules(t, "127.0.0.2/31", "::1"), nil); at != "127.0.0.1" {
		t.Errorf("reached %q, %v", at, err)
	}
	if at, err := dial4(nil, rules(t, "127.0.0.1")); at != "127.0.0.1" {
		t.Errorf("reached %q, %v", at, err)
	}
	if at, err := dial4(rules(t, "127.0.0.2/31"), rules(t, "all.example")); at != "127.0.0.1" {
		t.Errorf("reached %q, %v", at, err)
	}
	_, err := dial4(rules(t, "127.0.0.0/8", "::/0"), rules(t, "all.example"))
	if e := refused(t, err); e.Partly || len(d.came) > 3 {
		t.Errorf("%v, %d connections", e, len(d.came))
	}
	_, err = dial4(nil, rules(t, "192.0.2.0/24"))
	if e := refused(t, err); e.List != "egress.allow" || e.Partly || !strings.Contains(e.Error(), `of host "all.example" is not in egress.allow`) {
		t.Errorf("%v", e)
	}
}

// Where some of a host's addresses are refused and the others do not answer, the next attempt may succeed.
func TestARefusalInPartCanGoAway(t *testing.T) {
	d, dns := open(t), testkit.StartDNS(t)
	_ = d.Close() // nothing listens any more
	dns.Set("partly.example", addresses("127.0.0.2", "127.0.0.1"))
	p := &egress.Policy{Deny: rules(t, "127.0.0.2"), Resolver: dns.Resolver()}
	_, err := dial(t, p, d.at("partly.example"))
	if e := refused(t, err); e.Refused() || !strings.Contains(e.Error(), "other addresses do not answer") {
		t.Errorf("%v", e)
	}
}

func TestWhatIsNotRefusedFailsAsItWould(t *testing.T) {
	d, dns := open(t), testkit.StartDNS(t)
	p := &egress.Policy{Deny: rules(t, "10.0.0.0/8"), Resolver: dns.Resolver()}
	var unknown *net.DNSError
	if _, err := dial(t, p, d.at("unknown.example")); !errors.As(err, &unknown) || !unknown.IsNotFound {
		t.Errorf("%v", err)
	}
	if at, err := dial(t, p, d.at("127.0.0.1")); at != "127.0.0.1" {
		t.Errorf("reached %q, %v", at, err)
	}
	_ = d.Close()
	if _, err := dial(t, p, d.at("127.0.0.1")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.DialContext(ctx, "tcp", d.at("127.0.0.1")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for _, address := range []string{"127.0.0.1", "", "a:b:c"} {
		if _, err := p.DialContext(t.Context(), "tcp", address); err == nil {
			t.Errorf("dialled %q", address)
		}
	}
	if _, err := p.DialContext(t.Context(), "udp", "127.0.0.1:1"); err == nil {
		t.Error("dialled by UDP")
	}
}

// What only looks like a name is judged by the address that the system makes of it.
func TestAddressesInDisguise(t *testing.T) {
	d := open(t)
	p := &egress.Policy{Deny: rules(t, "127.0.0.0/8", "::1")}
	for _, host := range []string{"127.0.0.1", "localhost", "LOCALHOST", "localhost.", "::ffff:127.0.0.1", "0.0.0.0", "::", "", "::1"} {
		if at, err := dial(t, p, d.at(host)); err == nil {
			t.Errorf("%q reached %s", host, at)
		}
	}
	if len(d.came) != 0 {
		t.Errorf("%d connections", len(d.came))
	}
}
