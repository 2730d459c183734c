package part

import (
	"context"
	"fmt"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/topic"
)

// PacedPublisher is a bare paho publisher that keeps a pace: the reference for what is on the way longer, or the
// application that has downlinks to send.
type PacedPublisher struct {
	Listen string // where its numbers are; nothing listens there before it is connected
	Broker string // host:port
	Topic  string // template
	Window int    // publishes without PUBACK
	Pace   Pace
	Flood  Flood // that the messages are made after
}

// Run publishes at QoS 1, then waits for ctx to end.
func (p PacedPublisher) Run(ctx context.Context) error {
	pacer, err := newPacer(p.Pace, &p.Flood)
	if err != nil {
		return err
	}
	defer pacer.close()
	template, err := topic.Compile(p.Topic)
	if err != nil {
		return fmt.Errorf("compile %s: %w", p.Topic, err)
	}
	client, err := connectPublisher(p.Broker, "bench-paced")
	if err != nil {
		return err
	}
	defer client.Disconnect(250)
	window := make([]mqtt.Token, p.Window)
	next := 0
	return show(ctx, p.Listen, pacer.numbers(), func(ctx context.Context) error {
		err := pacer.run(ctx, func(m timed) (func() error, error) {
			envelope, err := dataapi.Scan(m.raw)
			if err != nil {
				return nil, err
			}
			to := string(template.Append(nil, &envelope))
			oldest := &window[next%len(window)]
			next++
			return func() error {
				if err := settled(ctx, *oldest); err != nil {
					return err
				}
				*oldest = client.Publish(to, 1, false, m.raw)
				return nil
			}, nil
		})
		for i := range window {
			if err == nil {
				err = settled(ctx, window[i])
			}
		}
		if err == nil {
			<-ctx.Done()
		}
		return err
	})
}

// settled waits for a publish's PUBACK; there may have been no publish.
func settled(ctx context.Context, token mqtt.Token) error {
	if token == nil {
		return nil
	}
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return nil
	}
}
