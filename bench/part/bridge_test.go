package part

import (
	"context"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// TestBridge carries a flood from a stream to a broker, whole and in order.
func TestBridge(t *testing.T) {
	flood := Flood{Frames: 2000, Size: 200, Epoch: 1_700_000_000}
	broker, dir := testkit.StartBroker(t), t.TempDir()
	server := running(t, func(listen string) func(context.Context) error { return NATS{Listen: listen, Dir: dir}.Run })
	numbers := running(t, func(listen string) func(context.Context) error {
		return Feeder{Listen: listen, NATS: server, Flood: flood}.Run
	})
	if n := awaitNumber(t, numbers, FeederStored, 2000); n != 2000 {
		t.Errorf("%.0f frames were stored", n)
	}
	numbers = running(t, func(listen string) func(context.Context) error {
		return Bridge{Listen: listen, NATS: server, Broker: broker.Address("mqtt"), Window: 10}.Run
	})
	if n := awaitNumber(t, numbers, BridgeAcknowledged, 2000); n != 2000 {
		t.Errorf("%.0f frames were acknowledged", n)
	}
	v, err := newVerifier(&flood)
	if err != nil {
		t.Fatal(err)
	}
	topics := prebuilt128(t, &flood)
	for i, p := range broker.Published() {
		v.take(p.Payload)
		if p.QoS != 1 || p.Retain || p.Topic != topics[i%Cycle].topic {
			t.Fatalf("publish %d is %+v", i, p)
		}
	}
	if v.arrived.Load() != 2000 || v.repeated.Load()+v.disordered.Load()+v.foreign.Load() > 0 {
		t.Errorf("%d arrived, %d repeated, %d out of order, %d foreign",
			v.arrived.Load(), v.repeated.Load(), v.disordered.Load(), v.foreign.Load())
	}
}

// TestBridgeWindow looks at how many publishes are on their way while no PUBACK comes.
func TestBridgeWindow(t *testing.T) {
	const window = 7
	flood := Flood{Frames: 200, Size: 200, Epoch: 1_700_000_000}
	proxy := testkit.NewPubackProxy(t, testkit.StartBroker(t).Address("mqtt"))
	dir := t.TempDir()
	server := running(t, func(listen string) func(context.Context) error { return NATS{Listen: listen, Dir: dir}.Run })
	fed := running(t, func(listen string) func(context.Context) error {
		return Feeder{Listen: listen, NATS: server, Flood: flood}.Run
	})
	awaitNumber(t, fed, FeederStored, 200)
	proxy.Withhold()
	numbers := running(t, func(listen string) func(context.Context) error {
		return Bridge{Listen: listen, NATS: server, Broker: proxy.Address(), Window: window}.Run
	})
	proxy.AwaitHeld(window)
	if n := proxy.InFlight(); n != window {
		t.Errorf("%d publishes are in flight, window of %d", n, window)
	}
	proxy.Pass()
	proxy.Release(window)
	awaitNumber(t, numbers, BridgeAcknowledged, 200)
	if n := proxy.MaxInFlight(); n != window {
		t.Errorf("%d publishes were in flight, window of %d", n, window)
	}
}

// TestBridgeWithoutStream has nothing to carry.
func TestBridgeWithoutStream(t *testing.T) {
	dir := t.TempDir()
	server := running(t, func(listen string) func(context.Context) error { return NATS{Listen: listen, Dir: dir}.Run })
	err := Bridge{Listen: "127.0.0.1:0", NATS: server, Broker: testkit.StartBroker(t).Address("mqtt"), Window: 1}.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "consume stream flood") {
		t.Errorf("got %v", err)
	}
}

func TestTally(t *testing.T) {
	broker := testkit.StartBroker(t)
	flood := Flood{Frames: 5 * Cycle, Size: 200, Epoch: 1_700_000_000}
	numbers := running(t, func(listen string) func(context.Context) error {
		return Tally{Listen: listen, Broker: broker.Address("mqtt"), Flood: flood}.Run
	})
	published := running(t, func(listen string) func(context.Context) error {
		return RawPublisher{Listen: listen, Broker: broker.Address("mqtt"), Window: 100, Flood: flood}.Run
	})
	awaitNumber(t, published, RawPublisherAcknowledged, 5*Cycle)
	if n := awaitNumber(t, numbers, TallyReceived, 5*Cycle); n != 5*Cycle {
		t.Errorf("it counted %.0f of %d", n, 5*Cycle)
	}
}
