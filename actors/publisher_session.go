package actors

import (
	"context"
	"sync"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/messages"
)

// session is one attempt at an MQTT session, from before its CONNECT to its end. Publishing may block and PUBACKs come
// from the client library's goroutines: both meet the publisher through happenings and reports.
type session struct {
	ctx    context.Context
	cancel context.CancelFunc
	out    outbox
	broker BrokerSession // set when it is reported open
	opened time.Time     // zero before

	happened happenings
}

// Reports of a session to its publisher.
type (
	sessionOpened struct {
		session *session
		broker  BrokerSession
	}
	// sessionEnded says that a session could not be opened, or has ended by itself.
	sessionEnded struct {
		session *session
		err     error
	}
	// publishesMoved says that publishes were sent or acknowledged: see session.happened.
	publishesMoved struct{ session *session }
)

// happening is one event in the life of a publish.
type happening struct {
	ticket uint64 // lane.ticket
	at     time.Time
	acked  bool // else: sent
}

// happenings collects events of many publishes for one report, so that the publisher is woken once for all
// that happened in the meantime.
type happenings struct {
	mu       sync.Mutex
	list     []happening
	spare    []happening
	reported bool
}

// add notes an event and reports whether the publisher has to be told.
func (h *happenings) add(ticket uint64, acked bool) (tell bool) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, happening{ticket: ticket, at: now, acked: acked})
	tell, h.reported = !h.reported, true
	return tell
}

// take returns what happened since the last call, in order. The slice is valid until the call after the next.
func (h *happenings) take() []happening {
	h.mu.Lock()
	defer h.mu.Unlock()
	taken := h.list
	h.list, h.spare, h.reported = h.spare[:0], taken, false
	return taken
}

// connect begins an attempt; its outcome is reported.
func (p *publisher) connect() {
	ctx, cancel := context.WithCancel(p.life.ctx)
	s := &session{ctx: ctx, cancel: cancel}
	p.session = s
	life := p.life
	events := broker.Events{
		Acknowledged: func(ticket uint64) { s.note(life, ticket, true) },
		Arrived: func(topic string, payload []byte) {
			life.tell(&messages.DownlinkArrived{Topic: topic, Payload: payload, At: time.Now()})
		},
		Lost: func(err error) { life.tell(sessionEnded{s, err}) },
	}
	life.run(ctx, func(ctx context.Context) {
		b, err := p.ConnectBroker(ctx, p.shared.broker, events)
		if err != nil {
			cancel()
			life.tell(sessionEnded{s, err})
			return
		}
		life.atEnd(ctx, b.Close) // also while a publish blocks
		life.tell(sessionOpened{s, b})
	})
}

func (s *session) note(life *incarnation, ticket uint64, acked bool) {
	if s.happened.add(ticket, acked) {
		life.tell(publishesMoved{s})
	}
}
