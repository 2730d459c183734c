package testkit

import (
	"errors"
	"slices"
	"sync"

	"github.com/lorry-mqtt/lorry/internal/faultywire"
)

// Publish is one PUBLISH that reached a broker.
type Publish struct {
	Client      string // client ID of the publisher
	Topic       string
	Payload     []byte
	QoS         byte
	Retain, Dup bool
}

// record is what a broker remembers of its clients.
type record struct {
	faultywire.Changes

	mu            sync.Mutex
	connects      int
	disconnects   int
	published     []Publish
	subscriptions map[string]int // filter → clients
}

func newRecord() *record { return &record{subscriptions: map[string]int{}} }

// note changes the record and tells those who wait for it.
func (r *record) note(change func()) {
	r.mu.Lock()
	change()
	r.mu.Unlock()
	r.Raise()
}

func (r *record) forgetSubscriptions() { r.note(func() { clear(r.subscriptions) }) }

// Connects is how many CONNECT packets have arrived, accepted or not.
func (b *Broker) Connects() int {
	b.record.mu.Lock()
	defer b.record.mu.Unlock()
	return b.record.connects
}

// Disconnects is how many clients have said DISCONNECT (MQTT 3.1.1 §3.14).
func (b *Broker) Disconnects() int {
	b.record.mu.Lock()
	defer b.record.mu.Unlock()
	return b.record.disconnects
}

// AwaitDisconnects waits until clients have said DISCONNECT at least n times.
func (b *Broker) AwaitDisconnects(n int) {
	b.t.Helper()
	await(b.t, &b.record.Changes, "a DISCONNECT", func() bool { return b.Disconnects() >= n })
}

// Published is every PUBLISH that has arrived, in the order of arrival, repeats included.
func (b *Broker) Published() []Publish {
	b.record.mu.Lock()
	defer b.record.mu.Unlock()
	return slices.Clone(b.record.published)
}

// AwaitPublished waits until at least n have arrived and returns all there are.
func (b *Broker) AwaitPublished(n int) []Publish {
	b.t.Helper()
	await(b.t, &b.record.Changes, "messages published to the broker", func() bool {
		b.record.mu.Lock()
		defer b.record.mu.Unlock()
		return len(b.record.published) >= n
	})
	return b.Published()
}

// AwaitSubscription waits until a client is subscribed to exactly this filter.
func (b *Broker) AwaitSubscription(filter string) {
	b.t.Helper()
	await(b.t, &b.record.Changes, "a subscription to "+filter, func() bool {
		b.record.mu.Lock()
		defer b.record.mu.Unlock()
		return b.record.subscriptions[filter] > 0
	})
}

// Send publishes to the broker's subscribers, as a client of its own would.
func (b *Broker) Send(topic string, payload []byte, qos byte) {
	b.t.Helper()
	b.mu.Lock()
	server := b.server
	b.mu.Unlock()
	if server == nil {
		b.t.Fatalf("testkit: send to %s: the broker is stopped", topic)
	}
	if err := server.Publish(topic, payload, false, qos); err != nil {
		b.t.Fatalf("testkit: send to %s: %v", topic, err)
	}
}

// CutOff closes the client's network connection without a word. It fails the test if there is no such client.
func (b *Broker) CutOff(clientID string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.server != nil {
		if client, ok := b.server.Clients.Get(clientID); ok {
			client.Stop(errors.New("cut off by the test"))
			return
		}
	}
	b.t.Fatalf("testkit: cut off %q: no such client", clientID)
}
