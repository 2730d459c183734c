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
	options := mqtt.NewClientOptions().AddBroker("tcp://" + s.Broker).SetClientID("bench-subscriber").SetProtocolVersion(4)
	options.SetCleanSession(false).SetAutoReconnect(true).SetMaxReconnectInterval(100 * time.Millisecond)
	options.SetOrderMatters(true).SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { v.take(m.Payload()) })
	client := mqtt.NewClient(options)
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		return fmt.Errorf("connect to the broker on %s: %w", s.Broker, token.Error())
	}
	defer client.Disconnect(250)
	if token := client.Subscribe(TopicFilter, 1, nil); token.Wait() && token.Error() != nil {
		return fmt.Errorf("subscribe %q: %w", TopicFilter, token.Error())
	}
	return show(ctx, s.Listen, v.numbers(), func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	})
}
