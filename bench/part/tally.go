package part

import (
	"context"
	"fmt"
	"sync/atomic"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// TallyReceived is how many messages a broker has received by the tally.
const TallyReceived = "tally_received_total"

// Tally counts what a broker receives from a publisher that is no part of the benchmark and shows no count, when what
// it sends is the flood's first [Cycle] frames over and over, in order. It subscribes to the topic of the last of
// them and takes each as a cycle, so that the broker has next to nothing to do for it.
type Tally struct {
	Listen string // where its numbers are; nothing listens there before it has subscribed
	Broker string // host:port
	Flood  Flood
}

// Run counts until ctx ends.
func (t Tally) Run(ctx context.Context) error {
	frames, err := t.Flood.prebuild(Cycle)
	if err != nil {
		return err
	}
	var received atomic.Uint64
	options := mqtt.NewClientOptions().AddBroker("tcp://" + t.Broker).SetClientID("bench-tally").SetProtocolVersion(4)
	options.SetAutoReconnect(false).SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
		// The topic is that of other frames, too.
		if n, err := simulator.FloodNumber(m.Payload()); err == nil && n == Cycle {
			received.Add(Cycle)
		}
	})
	client := mqtt.NewClient(options)
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		return fmt.Errorf("connect to the broker on %s: %w", t.Broker, token.Error())
	}
	defer client.Disconnect(250)
	last := frames[Cycle-1].topic
	if token := client.Subscribe(last, 0, nil); token.Wait() && token.Error() != nil {
		return fmt.Errorf("subscribe %q: %w", last, token.Error())
	}
	return show(ctx, t.Listen, []number{{TallyReceived, &received}}, func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	})
}
