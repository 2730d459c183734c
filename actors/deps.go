package actors

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/source"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/internal/turns"
	"github.com/lorry-mqtt/lorry/messages"
)

// maxOpenings bounds how many connections open their buffers at once. Ten thousand that did would wait for JetStream
// longer than it may take for an answer, and all try again.
const maxOpenings = 64

// maxReceiving bounds how many connections read at once what the network has brought: what more of them would do in a
// second has to be done anyway, and the PUBACKs that came meanwhile would wait for it.
const maxReceiving = 32

// Deps is what all connections of a node share. Store, Cursors, Parked and Metrics are required; what is nil of
// the rest takes its usual value.
type Deps struct {
	Node    string // the node's name, shown in every status
	Store   *buffer.Store
	Cursors *buffer.Cursors
	Parked  *buffer.Parked
	Metrics *telemetry.Metrics
	Log     zerolog.Logger // names the node
	// MaxFrameBytes is the largest frame that the buffer takes.
	MaxFrameBytes int

	// Unsynced is how far back what was stored before this process may be missing from Store.
	Unsynced time.Duration

	// Dial opens TCP connections to brokers and Network Servers.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// ConnectBroker opens an MQTT session; broker.Connect.
	ConnectBroker connectBroker
	// DialSource opens a Data API session; source.DialWebSocket.
	DialSource func(ctx context.Context, o source.WebSocketOptions) (source.Session, error)

	// Events is told what happens to connections; nobody.
	Events Events

	// ReadHistory reads the Network Server's REST history; source.ReadHistory.
	ReadHistory func(ctx context.Context, o source.HistoryOptions, from, to time.Time, each func([]source.Frame) error) error

	// crowd is all connections' publishers.
	crowd *crowd

	// watch looks at the connections that are open.
	watch *watch

	openings  turns.Turns // of connections that open their buffers
	receiving turns.Turns // of sessions with Network Servers

	// Running counts the goroutines of all actors, and is the tree's.
	Running *sync.WaitGroup

	// replace lets a test put another actor in a child's place.
	replace func(connection, child string, made actor.Actor) actor.Actor
}

// BrokerSession is one MQTT session as the publisher uses it; see broker.Session.
type BrokerSession interface {
	messages.Subscribing
	// Publish sends at QoS 1. It may block until the network has taken the message.
	Publish(m broker.Message) error
	// Close ends the session; after it no event is reported.
	Close()
}

func (d *Deps) complete() {
	if d.ConnectBroker == nil {
		d.ConnectBroker = func(ctx context.Context, o broker.Options, events broker.Events) (BrokerSession, error) {
			session, err := broker.Connect(ctx, o, events)
			if err != nil {
				return nil, err
			}
			return session, nil
		}
	}
	d.watch, d.crowd = newWatch(), newCrowd()
	d.openings, d.receiving = turns.New(maxOpenings), turns.New(maxReceiving)
	d.ConnectBroker = newConnectPace().keep(d.ConnectBroker)
	if d.DialSource == nil {
		d.DialSource = source.DialWebSocket
	}
	if d.ReadHistory == nil {
		d.ReadHistory = source.ReadHistory
	}
	if d.MaxFrameBytes == 0 {
		d.MaxFrameBytes = source.DefaultMaxFrameBytes
	}
	if d.Events == nil {
		d.Events = noEvents{}
	}
	if d.replace == nil {
		d.replace = func(_, _ string, made actor.Actor) actor.Actor { return made }
	}
}
