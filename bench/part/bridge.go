package part

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// BridgeAcknowledged is the bridge's count of messages that the broker has, and JetStream was told of.
const BridgeAcknowledged = "bridge_acknowledged_total"

// Bridge is the peer that a developer would write in an afternoon: it takes what is in a JetStream with a pull
// consumer, makes each message's topic by encoding/json, publishes with paho, a window at a time, and acknowledges to
// JetStream once a PUBACK is there.
type Bridge struct {
	Listen string // where its numbers are
	NATS   string // host:port
	Broker string // host:port
	Window int    // publishes without PUBACK
}

// Run carries messages until ctx ends.
func (b Bridge) Run(ctx context.Context) error {
	var acknowledged atomic.Uint64
	return show(ctx, b.Listen, []number{{BridgeAcknowledged, &acknowledged}}, func(ctx context.Context) error {
		nc, err := nats.Connect("nats://" + b.NATS)
		if err != nil {
			return fmt.Errorf("connect to NATS on %s: %w", b.NATS, err)
		}
		defer nc.Close()
		options := mqtt.NewClientOptions().AddBroker("tcp://" + b.Broker).SetClientID("bench-bridge").SetOrderMatters(false)
		client := mqtt.NewClient(options)
		if token := client.Connect(); token.Wait() && token.Error() != nil {
			return fmt.Errorf("connect to the broker on %s: %w", b.Broker, token.Error())
		}
		defer client.Disconnect(250)
		return b.carry(ctx, nc, client, &acknowledged)
	})
}

// carry publishes what the stream has until ctx ends.
func (b Bridge) carry(ctx context.Context, nc *nats.Conn, client mqtt.Client, acknowledged *atomic.Uint64) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	consumer, err := js.CreateOrUpdateConsumer(ctx, FloodStream, jetstream.ConsumerConfig{
		Durable: "bridge", AckPolicy: jetstream.AckExplicitPolicy,
	})
	if err != nil {
		return fmt.Errorf("consume stream %s: %w", FloodStream, err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("consume stream %s: %w", FloodStream, err)
	}
	c := &carrier{
		client: client, messages: messages, acknowledged: acknowledged,
		room: make(chan struct{}, b.Window), window: make(chan carried, b.Window),
	}
	stop := context.AfterFunc(ctx, messages.Stop)
	defer stop()
	settled := make(chan error, 1)
	go func() { settled <- c.settle(ctx) }()
	err = c.publish()
	err = errors.Join(err, <-settled)
	if ctx.Err() != nil {
		return nil // what failed then is no matter
	}
	return err
}

// carrier has a window of messages on their way.
type carrier struct {
	client       mqtt.Client
	messages     jetstream.MessagesContext
	acknowledged *atomic.Uint64
	room         chan struct{} // full when the window is
	window       chan carried
}

type carried struct {
	message jetstream.Msg
	token   mqtt.Token
}

// publish publishes what comes while there is room, until there are no more messages.
func (c *carrier) publish() error {
	defer close(c.window)
	for {
		message, err := c.messages.Next()
		if err != nil {
			return fmt.Errorf("take the next message: %w", err)
		}
		topic, err := topicOf(message.Data())
		if err != nil {
			return err
		}
		c.room <- struct{}{}
		c.window <- carried{message, c.client.Publish(topic, 1, false, message.Data())}
	}
}

// topicOf makes of a message what TopicUp makes of it.
func topicOf(message []byte) (string, error) {
	var m struct {
		Type string
		Meta struct{ Device string }
	}
	if err := json.Unmarshal(message, &m); err != nil {
		return "", fmt.Errorf("read a message to make its topic: %w", err)
	}
	return "lora/" + m.Type + "/" + m.Meta.Device, nil
}

// settle waits for one PUBACK after the other, and tells JetStream. When that fails there are no more messages.
func (c *carrier) settle(ctx context.Context) error {
	var failed error
	for next := range c.window {
		if failed == nil {
			if failed = next.settle(ctx); failed == nil {
				c.acknowledged.Add(1)
			} else {
				c.messages.Stop()
			}
		}
		<-c.room
	}
	return failed
}

func (c carried) settle(ctx context.Context) error {
	select {
	case <-c.token.Done():
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := c.token.Error(); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if err := c.message.Ack(); err != nil {
		return fmt.Errorf("acknowledge to JetStream: %w", err)
	}
	return nil
}
