package actors

import (
	"context"
	"sync"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
)

// connectBroker opens an MQTT session, as [Deps.ConnectBroker] does.
type connectBroker = func(ctx context.Context, o broker.Options, events broker.Events) (BrokerSession, error)

// connectPace keeps the time between two CONNECTs of one client ID that some brokers ask for, see
// [broker.URI.MinConnectInterval]. The publisher's backoff sees to it after a session; this does for attempts that
// know nothing of the one before: of a publisher that has failed, a connection that was opened anew or replaced.
type connectPace struct {
	mu    sync.Mutex
	turns map[client]*turn // of clients that have an attempt under way or have had one within the interval
}

// client is who is limited.
type client struct{ address, id string }

// turn is a client's right to an attempt. Only one has it at a time.
type turn struct {
	taken chan struct{} // holds a token while somebody has it
	users int           // who has it or waits for it; guarded by connectPace.mu
	next  time.Time     // when the next attempt may begin; for who has the turn
}

func newConnectPace() *connectPace { return &connectPace{turns: map[client]*turn{}} }

// keep returns connect with pauses in it. An attempt that ends while it waits returns its context's error.
func (p *connectPace) keep(connect connectBroker) connectBroker {
	return func(ctx context.Context, o broker.Options, events broker.Events) (BrokerSession, error) {
		interval := o.URI.MinConnectInterval()
		if interval == 0 {
			return connect(ctx, o, events)
		}
		who := client{o.URI.Address(), o.ClientID}
		t := p.enter(who)
		defer p.leave(who, t, interval)
		if err := t.take(ctx); err != nil {
			return nil, err
		}
		defer func() {
			t.next = time.Now().Add(interval) // the CONNECT, if any, was no later than this
			<-t.taken
		}()
		return connect(ctx, o, events)
	}
}

// take waits for the turn and for its time.
func (t *turn) take(ctx context.Context) error {
	select {
	case t.taken <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	wait := time.NewTimer(time.Until(t.next))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		<-t.taken
		return context.Cause(ctx)
	}
}

func (p *connectPace) enter(who client) *turn {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.turns[who]
	if t == nil {
		t = &turn{taken: make(chan struct{}, 1)}
		p.turns[who] = t
	}
	t.users++
	return t
}

// leave forgets the client, unless it has come back, once it may connect at any time.
func (p *connectPace) leave(who client, t *turn, interval time.Duration) {
	time.AfterFunc(interval, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(p.turns, who)
		}
	})
}
