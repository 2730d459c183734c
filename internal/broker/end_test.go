package broker_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

func TestDownlinksArriveInOrder(t *testing.T) {
	const n = 5000
	b := testkit.StartBroker(t, testkit.WithSchemes("mqtt", "wss"))
	for _, scheme := range []string{"mqtt", "wss"} {
		s, own := connect(t, withTLS(t, options(t, b.URI(scheme)), b.CA()))
		if err := s.Subscribe(t.Context(), "down"); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			b.Send("down", fmt.Append(nil, i), 1)
		}
		for i, got := range own.awaitArrived(n) {
			if got.payload != fmt.Sprint(i) {
				t.Fatalf("%s: message %s arrived as number %d", scheme, got.payload, i)
			}
		}
		own.close(s)
	}
}

// The payload belongs to the owner: what arrives later does not change it.
func TestPayloadsAreKept(t *testing.T) {
	b := testkit.StartBroker(t)
	var mu sync.Mutex
	var kept [][]byte
	full := make(chan struct{})
	s, err := broker.Connect(t.Context(), options(t, b.URI("mqtt")), broker.Events{Arrived: func(_ string, payload []byte) {
		mu.Lock()
		defer mu.Unlock()
		if kept = append(kept, payload); len(kept) == 500 {
			close(full)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Subscribe(t.Context(), "down"); err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		b.Send("down", fmt.Append(nil, i), byte(i%2))
	}
	<-full
	mu.Lock()
	defer mu.Unlock()
	seen := map[string]bool{}
	for _, payload := range kept {
		seen[string(payload)] = true
	}
	if len(seen) != 500 {
		t.Errorf("%d different payloads of 500", len(seen))
	}
}

func TestLostSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		wire func(*testkit.PubackProxy, *testkit.Broker)
		want []error
	}{
		"reset":            {func(p *testkit.PubackProxy, _ *testkit.Broker) { p.Cut() }, []error{broker.ErrReset, broker.ErrClosedByBroker}},
		"closed":           {func(_ *testkit.PubackProxy, b *testkit.Broker) { b.CutOff("test") }, []error{broker.ErrClosedByBroker}},
		"half closed here": {func(p *testkit.PubackProxy, _ *testkit.Broker) { p.HalfClose(testkit.ToClient) }, []error{broker.ErrClosedByBroker}},
		"half closed there": {func(p *testkit.PubackProxy, _ *testkit.Broker) { p.HalfClose(testkit.ToBroker) },
			[]error{broker.ErrClosedByBroker, broker.ErrReset}},
	} {
		t.Run(name, func(t *testing.T) {
			b, proxy, _, own := throughProxy(t)
			c.wire(proxy, b)
			err := own.awaitLost()
			known := false
			for _, want := range c.want {
				known = known || errors.Is(err, want)
			}
			var failed *broker.Error
			if !known || !errors.As(err, &failed) || failed.Stage != broker.StageSession {
				t.Errorf("lost: %v, want %v", err, c.want)
			}
		})
	}
}

func TestMalformedPublish(t *testing.T) {
	_, own := connect(t, scripted(t, func(s *script) {
		s.accept()
		s.send(0x30, 4, 0xff, 0xff, 't', 'x') // a topic longer than the packet
		s.drain()
	}))
	var violation *broker.ProtocolError
	if err := own.awaitLost(); !errors.As(err, &violation) || broker.Classify(err) != broker.Retryable {
		t.Errorf("lost: %v", err)
	}
}

// Close in the middle of everything: events in both directions, publishers at work. Nothing is heard afterwards.
func TestCloseInFullTraffic(t *testing.T) {
	b := testkit.StartBroker(t)
	o := options(t, b.URI("mqtt"))
	o.AckTimeout = 3 * time.Second // for which paho may hold Publish after the end
	for round := range 5 {
		s, own := connect(t, o)
		if err := s.Subscribe(t.Context(), "lora/#"); err != nil { // what it publishes comes back
			t.Fatal(err)
		}
		var publishers sync.WaitGroup
		for range 3 {
			publishers.Go(func() {
				for _, m := range uplinks(1, 5000) {
					if s.Publish(m) != nil {
						return
					}
				}
			})
		}
		own.awaitArrived(50 * (round + 1))
		own.awaitAcknowledged(50 * (round + 1))
		own.close(s)
		publishers.Wait()
		if own.settle(); len(own.lost) > 0 {
			t.Errorf("lost: %v", own.lost)
		}
	}
}

// Two ends at once: whoever is first, the owner hears of at most one.
func TestCloseWhileLost(t *testing.T) {
	b, proxy, first, own := throughProxy(t)
	own.close(first)
	for range 20 {
		s, own := connect(t, options(t, proxy.URI()))
		publish(t, s, uplinks(1, 5)...)
		var both sync.WaitGroup
		both.Go(proxy.Cut)
		both.Go(func() { own.close(s) })
		both.Wait()
		own.settle()
	}
	if want := 21; b.Connects() != want || proxy.Connects() != want {
		t.Errorf("%d CONNECT packets, %d at the proxy, want %d", b.Connects(), proxy.Connects(), want)
	}
}

// A broker that sends without reading gets its messages out all the same: their PUBACKs wait in the wire.
func TestBrokerThatDoesNotRead(t *testing.T) {
	const n = 5000
	acknowledged := make(chan struct{})
	s, own := connect(t, scripted(t, func(s *script) {
		defer close(acknowledged)
		s.accept()
		s.send(0x90, 3, 0, byte(s.nextID()), 1)
		for id := uint16(1); id <= n; id++ {
			s.send(0x32, 5, 0, 1, 't', byte(id>>8), byte(id))
		}
		for id := uint16(1); id <= n; id++ {
			if got := s.nextID(); got != id {
				s.t.Errorf("PUBACK of %d, want %d", got, id)
				return
			}
		}
	}))
	if err := s.Subscribe(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	own.awaitArrived(n)
	<-acknowledged
}
