package actors

import (
	"fmt"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/endpoint"
	"github.com/lorry-mqtt/lorry/internal/source"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/internal/topic"
)

// The children of a connection.
const (
	nsReaderName    = "ns-reader"
	topicRouterName = "topic-router"
	publisherName   = "publisher"
	subscriberName  = "subscriber"
)

// shared is what the children of one connection have in common: its books, and what they work from. A change of the
// configuration makes another shared with the same books.
type shared struct {
	*Deps
	*books
	spec     connection.Spec
	log      zerolog.Logger
	counters *telemetry.Counters

	template *topic.Template
	broker   broker.Options
	source   source.WebSocketOptions
	history  source.HistoryOptions // URL is empty where there is none
}

// books are what a connection knows of its frames. They are opened anew with each incarnation of the connection,
// since goroutines of the one before may still hold the last; what is written in them is safe for concurrent use.
type books struct {
	frames      *buffer.Log
	feed        *buffer.Feed
	framesAside *buffer.Aside
	floor       floor
	behind      behind
	missed      missed
	watched     *watched // to be stirred when frames are stored, and when messages are discarded

	appending sync.Mutex          // held by the one goroutine that appends to frames
	reading   sync.Mutex          // held by the one goroutine that reads the feed
	moved     map[uint64]struct{} // frames that are aside and may not be settled yet; for who holds reading
}

// plan turns a connection's configuration into what its children work from. An error says that no attempt can
// succeed before the configuration is changed.
func plan(spec connection.Spec, deps *Deps) (*shared, error) {
	s := &shared{Deps: deps, spec: spec, counters: deps.Metrics.Connection(spec.ID)}
	s.log = deps.Log.With().Str("connection", spec.ID).Logger()
	var err error
	if s.template, err = topic.Compile(spec.TopicUp); err != nil {
		return nil, fmt.Errorf("topic_up: %w", err)
	}
	if s.broker, err = endpoint.Broker(spec, deps.Dial); err != nil {
		return nil, err
	}
	s.source = endpoint.Source(spec, deps.Dial)
	s.source.MaxFrameBytes, s.source.Turns = deps.MaxFrameBytes, deps.receiving
	s.history = endpoint.History(spec, deps.Dial)
	s.history.MaxFrameBytes = deps.MaxFrameBytes
	return s, nil
}

// peers are the children of a connection as they run at present: nil is one that does not. The connection sends
// them to every child whenever that changes.
type peers struct{ nsReader, topicRouter, publisher, subscriber *actor.PID }

// send sends to a peer, if it runs.
func send(ctx actor.Context, to *actor.PID, message any) {
	if to != nil {
		ctx.Send(to, message)
	}
}
