package testkit

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// DNS is a name server on loopback that ends with its test. It answers for the names that it was told, and says of all
// others that there is no such name.
type DNS struct {
	t    testing.TB
	conn net.PacketConn

	mu      sync.Mutex
	answers map[string][][]netip.Addr // by name; one for each lookup, the last for all that follow
	lookups map[string]int
}

// StartDNS starts a name server without names.
func StartDNS(t testing.TB) *DNS {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("testkit: start a name server: %v", err)
	}
	d := &DNS{t: t, conn: conn, answers: map[string][][]netip.Addr{}, lookups: map[string]int{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.serve()
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return d
}

// Set has the first lookup of the name, a fully qualified one without its dot, answered by the first list of addresses,
// the second by the second, and further ones by the last.
func (d *DNS) Set(name string, answers ...[]netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers[name], d.lookups[name] = answers, 0
}

// Resolver asks this name server and no other.
func (d *DNS) Resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", d.conn.LocalAddr().String())
	}}
}

// Lookups is how often the name was looked up.
func (d *DNS) Lookups(name string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lookups[name]
}

func (d *DNS) serve() {
	packet := make([]byte, 512) // RFC 1035 §4.2.1
	for {
		n, from, err := d.conn.ReadFrom(packet)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			d.t.Errorf("testkit: read a query: %v", err)
			return
		}
		var query dnsmessage.Message
		if err := query.Unpack(packet[:n]); err != nil || len(query.Questions) != 1 {
			d.t.Errorf("testkit: a query that is none: %v", err)
			return
		}
		answer := d.answer(query)
		answered, err := answer.Pack()
		if err == nil {
			_, err = d.conn.WriteTo(answered, from)
		}
		if err != nil && !errors.Is(err, net.ErrClosed) {
			d.t.Errorf("testkit: answer a query: %v", err)
		}
	}
}

// answer has the addresses of the asked family. A lookup asks for both; that for A counts.
func (d *DNS) answer(query dnsmessage.Message) dnsmessage.Message {
	question := query.Questions[0]
	name := strings.ToLower(strings.TrimSuffix(question.Name.String(), "."))
	answer := dnsmessage.Message{Questions: query.Questions}
	answer.ID, answer.Response, answer.Authoritative, answer.RecursionAvailable = query.ID, true, true, true
	d.mu.Lock()
	defer d.mu.Unlock()
	lists := d.answers[name]
	if len(lists) == 0 {
		answer.RCode = dnsmessage.RCodeNameError
		return answer
	}
	list := lists[min(d.lookups[name], len(lists)-1)]
	if question.Type == dnsmessage.TypeA {
		d.lookups[name]++
	}
	for _, address := range list {
		header := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET} // TTL 0
		var body dnsmessage.ResourceBody
		switch {
		case question.Type == dnsmessage.TypeA && address.Is4():
			body = &dnsmessage.AResource{A: address.As4()}
		case question.Type == dnsmessage.TypeAAAA && address.Is6():
			body = &dnsmessage.AAAAResource{AAAA: address.As16()}
		default:
			continue
		}
		answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: header, Body: body})
	}
	return answer
}
