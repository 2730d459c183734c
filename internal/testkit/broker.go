package testkit

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"

	"github.com/lorry-mqtt/lorry/internal/faultywire"
)

// WebSocketPath is the only path at which [Broker] accepts WebSocket clients; any other is answered 404.
const WebSocketPath = "/mqtt"

// Broker is an MQTT broker on loopback that ends with its test. Its ports stay the same over [Broker.Stop] and
// [Broker.Start]; what it recorded stays, too, while sessions, subscriptions and retained messages do not.
type Broker struct {
	t         testing.TB
	options   brokerOptions
	addresses map[string]string // scheme → host:port
	record    *record

	mu     sync.Mutex
	server *mochi.Server // nil while stopped
}

// brokerOptions is what both kinds of broker can be told.
type brokerOptions struct {
	schemes            []string
	users              map[string]string
	ca                 *CA
	certificate        *KeyPair
	clientCertificates bool
	acl                func(user, topic string, write bool) bool
	maxQoS             byte
	maxPacketSize      uint32 // 0: no limit
	unrecorded         bool
}

// BrokerOption is told to [StartBroker] or [StartMosquitto].
type BrokerOption func(*brokerOptions)

// WithSchemes chooses the listeners, any of mqtt, mqtts, ws and wss. Without it there is one for mqtt.
func WithSchemes(schemes ...string) BrokerOption {
	return func(o *brokerOptions) { o.schemes = schemes }
}

// WithUser admits the user with the password, and nobody without one. It may be given several times.
func WithUser(user, password string) BrokerOption {
	return func(o *brokerOptions) { o.users[user] = password }
}

// WithCA has the broker's certificate, and those of its clients, issued by ca instead of an authority of its own.
func WithCA(ca *CA) BrokerOption { return func(o *brokerOptions) { o.ca = ca } }

// WithCertificate has the TLS listeners show this certificate instead of a valid one for 127.0.0.1 and localhost.
func WithCertificate(pair KeyPair) BrokerOption {
	return func(o *brokerOptions) { o.certificate = &pair }
}

// WithClientCertificates makes the TLS listeners admit only clients with a certificate from the broker's CA.
func WithClientCertificates() BrokerOption {
	return func(o *brokerOptions) { o.clientCertificates = true }
}

// WithACL has allow decide who may publish to a topic (write) or subscribe to a filter. [Broker] only.
func WithACL(allow func(user, topic string, write bool) bool) BrokerOption {
	return func(o *brokerOptions) { o.acl = allow }
}

// WithMaximumQoS has subscriptions granted at most qos (MQTT 3.1.1 §3.8.4). [Broker] only.
func WithMaximumQoS(qos byte) BrokerOption { return func(o *brokerOptions) { o.maxQoS = qos } }

// WithMaximumPacketSize has the broker end the session of a client that sends a larger packet, in bytes.
func WithMaximumPacketSize(size uint32) BrokerOption {
	return func(o *brokerOptions) { o.maxPacketSize = size }
}

// WithoutRecord keeps what is published from being recorded, for benchmarks. [Broker] only.
func WithoutRecord() BrokerOption { return func(o *brokerOptions) { o.unrecorded = true } }

func newBrokerOptions(t testing.TB, options []BrokerOption) brokerOptions {
	t.Helper()
	o := brokerOptions{schemes: []string{"mqtt"}, users: map[string]string{}, maxQoS: 2}
	for _, option := range options {
		option(&o)
	}
	for _, scheme := range o.schemes {
		if !slices.Contains([]string{"mqtt", "mqtts", "ws", "wss"}, scheme) {
			t.Fatalf("testkit: a broker cannot listen for %q", scheme)
		}
	}
	if o.ca == nil {
		o.ca = NewCA(t)
	}
	if o.certificate == nil {
		pair := o.ca.Server(t, "localhost", "127.0.0.1")
		o.certificate = &pair
	}
	return o
}

// StartBroker starts a broker that stops with the test.
func StartBroker(t testing.TB, options ...BrokerOption) *Broker {
	t.Helper()
	b := &Broker{t: t, options: newBrokerOptions(t, options), record: newRecord()}
	b.addresses = reserveAddresses(t, b.options.schemes)
	b.Start()
	t.Cleanup(b.Stop)
	return b
}

// Start starts the broker again on the ports it had. Starting a running broker does nothing.
func (b *Broker) Start() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.server != nil {
		return
	}
	capabilities := mochi.NewDefaultServerCapabilities()
	capabilities.MaximumQos = b.options.maxQoS
	capabilities.MaximumPacketSize = b.options.maxPacketSize
	server := mochi.New(&mochi.Options{
		Capabilities: capabilities,
		InlineClient: true,
		Logger:       slog.New(slog.DiscardHandler),
	})
	turns := newTurns()
	if err := server.AddHook(&hook{options: &b.options, record: b.record, turns: turns}, nil); err != nil {
		b.t.Fatalf("testkit: start a broker: %v", err)
	}
	for _, scheme := range b.options.schemes {
		if err := server.AddListener(newListener(scheme, b.listen(scheme), turns)); err != nil {
			b.t.Fatalf("testkit: start a broker for %s: %v", scheme, err)
		}
	}
	if err := server.Serve(); err != nil {
		b.t.Fatalf("testkit: start a broker: %v", err)
	}
	b.server = server
}

// listen binds the scheme's port.
func (b *Broker) listen(scheme string) net.Listener {
	b.t.Helper()
	inner, err := net.Listen("tcp", b.addresses[scheme])
	if err != nil {
		b.t.Fatalf("testkit: start a broker for %s: %v", scheme, err)
	}
	tracked := &trackedListener{Listener: inner, open: map[net.Conn]struct{}{}}
	if scheme == "mqtts" || scheme == "wss" {
		tracked.config = b.tlsConfig()
	}
	return tracked
}

// reserveAddresses finds a port for each scheme and keeps it until the test ends, whether or not anything listens.
func reserveAddresses(t testing.TB, schemes []string) map[string]string {
	t.Helper()
	addresses := map[string]string{}
	for _, scheme := range schemes {
		reserved, err := faultywire.ReservePort()
		if err != nil {
			t.Fatalf("testkit: find a port for %s: %v", scheme, err)
		}
		t.Cleanup(reserved.Release)
		addresses[scheme] = reserved.Address()
	}
	return addresses
}

func (b *Broker) tlsConfig() *tls.Config {
	config := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{b.options.certificate.TLS(b.t)},
	}
	if b.options.clientCertificates {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, b.options.ca.Pool()
	}
	return config
}

// Stop cuts all clients off and stops listening. Stopping a stopped broker does nothing.
func (b *Broker) Stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.server == nil {
		return
	}
	if err := b.server.Close(); err != nil {
		b.t.Errorf("testkit: stop a broker: %v", err)
	}
	b.server = nil
	b.record.forgetSubscriptions()
}

// CA is the authority that issued the broker's certificate.
func (b *Broker) CA() *CA { return b.options.ca }

// Address is the scheme's host:port.
func (b *Broker) Address(scheme string) string {
	b.t.Helper()
	address, ok := b.addresses[scheme]
	if !ok {
		b.t.Fatalf("testkit: the broker does not listen for %s but for %v", scheme, slices.Sorted(maps.Keys(b.addresses)))
	}
	return address
}

// URI is the scheme's address as a URI, without user and password.
func (b *Broker) URI(scheme string) string {
	b.t.Helper()
	return fmt.Sprintf("%s://%s", scheme, b.Address(scheme))
}
