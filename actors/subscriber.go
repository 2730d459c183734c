package actors

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/backoff"
	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/echo"
	"github.com/lorry-mqtt/lorry/messages"
)

// subscriber keeps topic_down subscribed on whatever session the publisher has, and passes on what the Network
// Server is meant to get.
type subscriber struct {
	*shared
	life    *incarnation
	peers   peers
	session messages.Subscribing
	cancel  context.CancelFunc // of the subscribing under way
	backoff *backoff.Backoff
	echo    echo.Watch // of the Network Server's own messages on topic_down
}

// Reports of the subscriber's goroutine and timer.
type (
	subscribed struct {
		session messages.Subscribing
		err     error
	}
	resubscribe struct{ session messages.Subscribing }
	lookForEcho struct{}
)

// Reasons why a message on topic_down is not forwarded, for the counter.
const (
	discardNotJSON   = "not_json"  // or empty
	discardFromNS    = "from_ns"   // only the Network Server can have said it: its own message come back
	discardNSAway    = "ns_away"   // the Network Server was not there in time
	discardTooMany   = "too_many"  // more were waiting than are kept
	discardShutdown  = "shutdown"  // the connection ended before it could be sent
	discardTooLarge  = "too_large" // larger than a message may be
	maxDownlinkBytes = 1024 * 1024 // far beyond any downlink: a guard for memory
)

func newSubscriber(s *shared) actor.Actor {
	return &subscriber{shared: s, backoff: backoff.New()}
}

// Receive implements actor.Actor.
func (s *subscriber) Receive(ctx actor.Context) {
	defer withStack()
	switch m := s.life.open(ctx.Message()).(type) {
	case *actor.Started:
		s.life = newIncarnation(ctx, s.Running)
	case *peers:
		s.peers = *m
	case *messages.SessionOpened:
		s.session = m.Session
		s.backoff.Reset()
		s.subscribe()
	case *messages.SessionClosed:
		s.closed(m.Session)
	case subscribed:
		s.answered(ctx, m)
	case resubscribe:
		if m.session == s.session {
			s.subscribe()
		}
	case *messages.DownlinkArrived:
		s.arrived(ctx, m)
	case lookForEcho:
		s.lookForEcho()
	case *actor.Stopping:
		s.life.end()
	}
}

// subscribe asks for topic_down on the session.
func (s *subscriber) subscribe() {
	if s.spec.TopicDown == "" {
		return
	}
	ctx, cancel := context.WithTimeout(s.life.ctx, time.Duration(s.spec.MQTT.ConnectTimeout))
	s.cancel = cancel
	session, filter, life := s.session, s.spec.TopicDown, s.life
	life.run(ctx, func(ctx context.Context) {
		defer cancel()
		life.tell(subscribed{session, session.Subscribe(ctx, filter)})
	})
}

func (s *subscriber) closed(session messages.Subscribing) {
	if session != s.session {
		return
	}
	s.session = nil
	if s.cancel != nil {
		s.cancel()
	}
}

// answered tells the connection how the broker took the subscription, and tries a refused one again: the
// session itself is of use without it.
func (s *subscriber) answered(ctx actor.Context, m subscribed) {
	if m.session != s.session || errors.Is(m.err, broker.ErrSessionClosed) { // SessionClosed follows
		return
	}
	ctx.Send(ctx.Parent(), &messages.SubscriptionChanged{Err: m.err})
	if m.err != nil {
		s.life.after(s.backoff.Failed(0), resubscribe{m.session})
	}
}

// arrived judges a message on topic_down: what is not JSON is discarded silently, what only the Network Server
// sends would go round in circles, and the rest is the Network Server's to judge.
func (s *subscriber) arrived(ctx actor.Context, m *messages.DownlinkArrived) {
	s.counters.DownlinksReceived.Add(1)
	if reason := judge(m.Payload); reason != "" {
		s.counters.DownlinksDiscarded.Add(reason, 1)
		s.watched.stir()
		s.log.Debug().Str("actor", subscriberName).Str("topic", m.Topic).Str("reason", reason).Int("bytes", len(m.Payload)).
			Msg("downlink discarded")
		if reason == discardFromNS {
			s.cameBack(m)
		}
		return
	}
	if s.peers.nsReader == nil {
		s.counters.DownlinksDiscarded.Add(discardNSAway, 1) // it failed, and is being started again
		s.watched.stir()
		return
	}
	ctx.Send(s.peers.nsReader, &messages.ForwardDownlink{Payload: m.Payload, ArrivedAt: m.At})
}

// judge is the reason not to forward a message; empty to forward it.
func judge(payload []byte) (discard string) {
	if len(payload) > maxDownlinkBytes {
		return discardTooLarge
	}
	envelope, err := dataapi.Scan(payload)
	switch {
	case errors.Is(err, dataapi.ErrNotJSON):
		return discardNotJSON
	case envelope.FromNS(), dataapi.QuotesComplaint(payload):
		return discardFromNS
	default:
		return ""
	}
}
