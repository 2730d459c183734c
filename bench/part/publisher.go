package part

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// PublisherAcknowledged is the publisher's count of PUBACKs.
const PublisherAcknowledged = "publisher_acknowledged_total"

// Publisher is the peer that shows what the client library can do: frames from memory, paho, a window, nothing else.
type Publisher struct {
	Listen string // where its numbers are
	Broker string // host:port
	Window int    // publishes without PUBACK
	Flood  Flood
}

// Run publishes the flood at QoS 1, then waits for ctx to end.
func (p Publisher) Run(ctx context.Context) error {
	frames, err := p.Flood.prebuild(Cycle)
	if err != nil {
		return err
	}
	var acknowledged atomic.Uint64
	return show(ctx, p.Listen, []number{{PublisherAcknowledged, &acknowledged}}, func(ctx context.Context) error {
		if err := p.publish(ctx, frames, &acknowledged); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	})
}

func (p Publisher) publish(ctx context.Context, frames []prebuilt, acknowledged *atomic.Uint64) error {
	client, err := connectPublisher(p.Broker, "bench-publisher")
	if err != nil {
		return err
	}
	defer client.Disconnect(250)
	// PUBACKs come in order, so that the window has room when its oldest publish has been acknowledged.
	window := make([]mqtt.Token, p.Window)
	settle := func(token mqtt.Token) error {
		if token == nil {
			return nil
		}
		select {
		case <-token.Done():
			acknowledged.Add(1)
			return token.Error()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for i := range p.Flood.Frames {
		oldest := &window[i%uint64(len(window))]
		if err := settle(*oldest); err != nil {
			return fmt.Errorf("publish frame %d: %w", i, err)
		}
		f := &frames[i%uint64(len(frames))]
		*oldest = client.Publish(f.topic, 1, false, f.frame)
	}
	for i := range window { // which of them is the oldest no longer matters
		if err := settle(window[i]); err != nil {
			return fmt.Errorf("publish the last frames: %w", err)
		}
	}
	return nil
}

// connectPublisher opens a session with the broker, which ends for good when its connection does.
func connectPublisher(broker, clientID string) (mqtt.Client, error) {
	options := mqtt.NewClientOptions().AddBroker("tcp://" + broker).SetClientID(clientID).SetProtocolVersion(4)
	options.SetAutoReconnect(false).SetOrderMatters(false).SetWriteTimeout(10 * time.Second)
	client := mqtt.NewClient(options)
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		return nil, fmt.Errorf("connect to the broker on %s: %w", broker, token.Error())
	}
	return client, nil
}
