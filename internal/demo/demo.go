package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/app"
	"github.com/lorry-mqtt/lorry/internal/config"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

const (
	filterID = "59ae890a63c0f30009e95709"
	token    = "demo-token"
	// settleTimeout is how long after the last frame was sent it may take to arrive.
	settleTimeout = 10 * time.Second
	// maxMessages bounds what the account remembers.
	maxMessages = 1_000_000
)

// Options configures a demo.
type Options struct {
	For  time.Duration // 0: until ctx ends
	Rate float64       // messages a second from the Network Server
	Seed uint64        // decides what they are
	Out  io.Writer     // for what arrives, and the summary
	Log  zerolog.Logger
}

// parts are the demo's programs, in the order in which they are started.
type parts struct {
	ns          *simulator.NS
	stopBroker  func() error
	application *application
	node        *app.App
	dir         string
	account     *account
}

// Run runs a demo to its end and returns what came of it.
func Run(ctx context.Context, o Options) (s Summary, err error) {
	p := &parts{account: newAccount()}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := p.start(ctx, o); err != nil {
		return Summary{}, err
	}
	p.ns.SetRate(o.Rate)
	if o.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.For)
		defer cancel()
	}
	select {
	case <-ctx.Done():
	case err := <-p.node.Tree().Failed():
		return Summary{}, err
	}
	p.ns.SetRate(0)
	return p.settle()
}

func (p *parts) start(ctx context.Context, o Options) (err error) {
	p.ns, err = simulator.New(simulator.Config{
		Seed: o.Seed, Tokens: []string{token}, Filters: map[string]simulator.Filter{filterID: {}}, Record: maxMessages, Log: o.Log,
	})
	if err != nil {
		return err
	}
	if err := p.ns.Start("127.0.0.1:0"); err != nil {
		return err
	}
	broker, address, err := startBroker()
	if err != nil {
		return err
	}
	p.stopBroker = func() error { return stopBroker(broker) }
	if p.application, err = startApplication(address, o.Out, p.account); err != nil {
		return err
	}
	if p.dir, err = os.MkdirTemp("", "lorry-demo-"); err != nil {
		return fmt.Errorf("make a directory for the demo's buffer: %w", err)
	}
	if p.node, err = app.New(p.config(address), o.Log, "demo", ""); err != nil {
		return err
	}
	if err := p.node.Start(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, `Network Server   %s
MQTT broker      mqtt://%s   (try: mosquitto_sub -p %s -t 'lora/#' -v)
metrics          http://%s/metrics
buffer           %s

`, p.ns.URL(), address, address[len("127.0.0.1:"):], p.node.HTTPAddress(), p.node.NATSAddress())
	if err != nil {
		return err
	}
	return p.ns.Await(ctx, func(s simulator.Stats) bool { return s.Streams > 0 })
}

// config is a node with one connection between the two ends.
func (p *parts) config(broker string) config.Config {
	cfg := config.Defaults()
	cfg.Node.Name = "demo"
	cfg.HTTP.Listen = "127.0.0.1:0"
	cfg.NATS.Embedded.Dir = p.dir
	cfg.Buffer.MaxBytes = 1 << 30
	spec := connection.Defaults()
	spec.ID, spec.Filter, spec.TopicUp, spec.TopicDown = "demo", filterID, topicUp, topicDown
	spec.URI = connection.NewURI("mqtt://" + broker)
	spec.Source.URL, spec.Source.AccessToken = p.ns.URL(), secret.New(token)
	cfg.Connections = []connection.Spec{spec.WithDefaults(cfg.Source)}
	return cfg
}

// settle waits until everything that was sent has arrived, and closes the account.
func (p *parts) settle() (Summary, error) {
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	sent := p.ns.Messages()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !p.complete(sent) && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	s, err := p.account.settle(sent)
	s.Accepted = int(p.ns.Stats().Accepted)
	return s, err
}

// complete reports whether all that was sent has arrived.
func (p *parts) complete(sent []simulator.Message) bool {
	for _, s := range slices.Backward(sent) {
		if id, err := dataapi.Identify(s.Raw); err == nil && !p.account.has(id) {
			return false
		}
	}
	return true
}

// stop ends the parts that were started, the last first.
func (p *parts) stop() error {
	var errs []error
	if p.node != nil {
		errs = append(errs, p.node.Stop())
	}
	if p.application != nil {
		p.application.stop()
	}
	if p.stopBroker != nil {
		errs = append(errs, p.stopBroker())
	}
	if p.ns != nil {
		p.ns.Close()
	}
	if p.dir != "" {
		errs = append(errs, os.RemoveAll(p.dir))
	}
	return errors.Join(errs...)
}
