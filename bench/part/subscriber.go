package part

import (
	"context"
	"fmt"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Subscriber verifies that a broker's subscribers get the flood, whole and in order. Its session outlives its
// connection (MQTT 3.1.1 §3.1.2.4): what is published while the broker's subscriber is not yet back is kept for it.
type Subscriber struct {
	Listen string // where its numbers are; nothing listens there before it has subscribed
	Broker string // host:port
	Flood  Flood
}

// Run verifies until ctx ends.
func (s Subscriber) Run(ctx context.Context) error {
	v, err := newVerifier(&s.Flood)
	if err != nil {
		return err
	}
	client, err := subscribe(s.Broker, "bench-subscriber", TopicFilter, func(_ mqtt.Client, m mqtt.Message) { v.take(m.Payload()) })
	if err != nil {
		return err
	}
	defer client.Disconnect(250)
	return show(ctx, s.Listen, v.numbers(), func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	})
}

// subscribe connects and subscribes at QoS 1, with a session that outlives its connection. Messages are taken in order,
// one after the other.
func subscribe(broker, id, filter string, take mqtt.MessageHandler) (mqtt.Client, error) {
	options := mqtt.NewClientOptions().AddBroker("tcp://" + broker).SetClientID(id).SetProtocolVersion(4)
	options.SetCleanSession(false).SetAutoReconnect(true).SetMaxReconnectInterval(100 * time.Millisecond)
	options.SetOrderMatters(true).SetDefaultPublishHandler(take)
	client := mqtt.NewClient(options)
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		return nil, fmt.Errorf("connect to the broker on %s: %w", broker, token.Error())
	}
	if token := client.Subscribe(filter, 1, nil); token.Wait() && token.Error() != nil {
		client.Disconnect(0)
		return nil, fmt.Errorf("subscribe %q: %w", filter, token.Error())
	}
	return client, nil
}
