package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
)

const limitedURI = "mqtts://a1b2c3d4e5f6g7-ats.iot.eu-west-1.amazonaws.com"

func limited(s *connection.Spec) { s.URI = connection.NewURI(limitedURI) }

// intervals are the times between a broker's CONNECTs.
func (b *fakeBroker) intervals() (out []time.Duration) {
	tried := b.tried()
	for i := 1; i < len(tried); i++ {
		out = append(out, tried[i]-tried[i-1])
	}
	return out
}

// assertPolite checks that there were so many CONNECTs, none sooner than a second after the one before, and the last
// no later than needed.
func assertPolite(t *testing.T, b *fakeBroker, connects int) {
	t.Helper()
	got := b.intervals()
	if len(got) != connects-1 {
		t.Errorf("%d CONNECTs, want %d: %v", len(got)+1, connects, got)
	}
	if len(got) > 0 && slices.Min(got) < time.Second {
		t.Errorf("times between CONNECTs: %v", got)
	}
}

func TestEveryWayToAConnectKeepsTheIntervalOfABrokerThatLimitsThem(t *testing.T) {
	for name, again := range map[string]func(st *treeStage, e *ends){
		"a session that falls": func(_ *treeStage, e *ends) { e.broker.current().events.Lost(errGone) },
		"a publisher that fails": func(_ *treeStage, e *ends) {
			e.broker.panicking("publish")
			e.ns.send(1)
			synctest.Wait()
			e.broker.panicking("")
		},
		"a connection that is changed": func(st *treeStage, e *ends) {
			st.put("acme", func(s *connection.Spec) {
				limited(s)
				s.TopicDown = fmt.Sprintf("other-%d", len(e.broker.tried())) // needs a session of its own
			})
		},
		"a connection that is paused and resumed": func(st *treeStage, _ *ends) {
			st.put("acme", func(s *connection.Spec) { limited(s); s.Enabled = false })
			st.put("acme", limited)
		},
		"a connection that is removed and put again": func(st *treeStage, _ *ends) {
			if err := st.tree.Remove("acme"); err != nil {
				st.t.Fatal(err)
			}
			st.put("acme", limited)
		},
		"a connection whose buffer another has written": func(st *treeStage, e *ends) {
			cursor, revision, err := st.deps.Cursors.Load(st.t.Context(), "acme")
			if err != nil {
				st.t.Fatal(err)
			}
			if _, err := st.deps.Cursors.Save(st.t.Context(), "acme", buffer.Cursor{Epoch: cursor.Epoch + 1}, revision); err != nil {
				st.t.Fatal(err)
			}
			e.ns.send(1) // its cursor is due within a second, and stale
			advance(1100 * time.Millisecond)
		},
	} {
		t.Run(name, quietly(func(t *testing.T) {
			st := newTreeStage(t, nil)
			e := st.put("acme", limited)
			for n := 2; n <= 4; n++ {
				again(st, e)
				advance(10 * time.Second)
				assertPolite(t, e.broker, n)
			}
			e.ns.send(1)
			st.complete("acme", 10)
		}))
	}
}

func TestABrokerThatLimitsConnectsAndRefusesThem(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.at("acme")
		e.broker.refusing(errGone)
		st.put("acme", limited)
		advance(time.Minute)
		want := time.Second
		for i, waited := range e.broker.intervals() {
			if waited < want || waited > want*11/10 {
				t.Errorf("attempt %d came after %v, want %v and up to a tenth more", i+2, waited, want)
			}
			want *= 2
		}
		if want < 16*time.Second {
			t.Errorf("attempts at %v", e.broker.tried())
		}
	})
}

// The interval counts from when an attempt has ended, since its CONNECT was no later, and holds up nobody else.
func TestConnectPaceHoldsUpTheSameClientOnly(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		begin := time.Now()
		var at []time.Duration
		p := newConnectPace()
		connect := p.keep(func(context.Context, broker.Options, broker.Events) (BrokerSession, error) {
			at = append(at, time.Since(begin))
			<-time.After(300 * time.Millisecond)
			return nil, errGone
		})
		attempt := func(ctx context.Context, uri, id string) error {
			parsed, err := broker.ParseURI(uri)
			if err != nil {
				t.Fatal(err)
			}
			_, err = connect(ctx, broker.Options{URI: parsed, ClientID: id}, broker.Events{})
			return err
		}
		for _, c := range []struct{ uri, id string }{
			{limitedURI, "a"}, {limitedURI, "b"}, {limitedURI, "a"}, {limitedURI + ":443", "a"}, {"mqtts://broker.example", "a"}, {"mqtts://broker.example", "a"},
		} {
			if err := attempt(t.Context(), c.uri, c.id); !errors.Is(err, errGone) {
				t.Errorf("%v", err)
			}
		}
		ms := time.Millisecond
		if want := []time.Duration{0, 300 * ms, 1300 * ms, 1600 * ms, 1900 * ms, 2200 * ms}; !slices.Equal(at, want) {
			t.Errorf("CONNECTs at %v, want %v", at, want)
		}

		ctx, cancel := context.WithTimeout(t.Context(), 100*ms)
		defer cancel()
		_ = attempt(t.Context(), limitedURI, "a")
		if err := attempt(ctx, limitedURI, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an attempt that ended while it waited returned %v", err)
		}
		ended := make(chan struct{})
		go func() { defer close(ended); _ = attempt(t.Context(), limitedURI, "a") }()
		synctest.Wait()
		if err := attempt(ctx, limitedURI, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an attempt beside another returned %v", err)
		}
		<-ended
		advance(2 * time.Second)
		if n := len(p.turns); n != 0 {
			t.Errorf("%d clients are remembered", n)
		}
	})
}
