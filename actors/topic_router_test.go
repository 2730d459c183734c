package actors

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/messages"
)

func TestRouterGivesEachFrameItsTopic(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", func(s *connection.Spec) {
			s.TopicUp = "lora/{application}/{type}/{device}/{gateway}/{network}/{device_addr}"
		})
		for _, c := range []struct{ raw, topic string }{
			{
				`{"type":"uplink","meta":{"network":"n","application":"a","device":"d","device_addr":"da","gateway":"g"}}`,
				"lora/a/uplink/d/g/n/da",
			},
			{
				`{"meta":{"device":"1/2/+/#","application":"","gateway":null},"type":"location"}`,
				"lora/{application}/location/1_2____/{gateway}/{network}/{device_addr}",
			},
			{`{"type":"error"}`, "lora/{application}/error/{device}/{gateway}/{network}/{device_addr}"},
			{
				`{"type":"info","meta":{"device":"` + strings.Repeat("x", 10_000) + `"}}`,
				"lora/{application}/info/" + strings.Repeat("x", 256) + "/{gateway}/{network}/{device_addr}",
			},
		} {
			e.ns.current().bring([]dataapi.Frame{frameOf([]byte(c.raw))})
			synctest.Wait()
			if m := e.broker.last(); m.Topic != c.topic || string(m.Payload) != c.raw {
				t.Errorf("%.100s was published to %s", m.Payload, m.Topic)
			}
		}
		for i := range maxCachedTopics + 10 { // a topic is the same whether it was known or not
			raw := fmt.Appendf(nil, `{"type":"uplink","meta":{"device":"%016x"}}`, i)
			e.ns.current().bring([]dataapi.Frame{frameOf(raw)})
		}
		synctest.Wait()
		for _, m := range e.broker.published()[4:] {
			envelope, err := dataapi.Scan(m.Payload)
			if want := "/uplink/" + string(envelope.Meta.Device) + "/"; err != nil || !strings.Contains(m.Topic, want) {
				t.Fatalf("%s was published to %s", m.Payload, m.Topic)
			}
		}
	})
}

func TestRouterSendsNoMoreThanItHasCreditFor(t *testing.T) {
	for _, window := range []int{1, 10, 100} {
		t.Run(fmt.Sprint(window), quietly(func(t *testing.T) {
			var routed atomic.Int64
			st := newTreeStage(t, func(d *Deps) {
				d.replace = func(_, child string, made actor.Actor) actor.Actor {
					if child != publisherName {
						return made
					}
					return &faulty{made, func(ctx actor.Context) bool {
						if m, ok := ctx.Message().(*messages.FramesRouted); ok {
							routed.Add(int64(len(m.Topics)))
						}
						return false
					}}
				}
			})
			st.at("acme").broker.acking = false
			e := st.put("acme", func(s *connection.Spec) {
				s.MQTT.MaxInflight, s.MQTT.AckTimeout = window, connection.Duration(time.Minute)
			})
			for acked := range 3 * window {
				e.ns.send(2 * window)
				synctest.Wait()
				if n := int(routed.Load()) - acked; n > window*(2+lookahead) || n < window { // one is in flight
					t.Fatalf("%d frames wait in the publisher, the window is %d", n, window)
				}
				e.broker.current().events.Acknowledged(uint64(acked+1) << 1)
			}
		}))
	}
}

func TestRouterGoesOnWhenTheBufferCanBeRead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st, e := drainStage(t)
		st.store.change(func(f *faultyJetStream) { f.unread = true })
		for range 3 { // sessions, of which none has anything to publish
			e.broker.current().events.Lost(errGone)
			advance(time.Second)
			if n := len(e.broker.current().numbers()); n != 0 {
				t.Errorf("%d frames were published", n)
			}
			if s := st.status("acme"); !strings.Contains(s.Source.LastError, "read subject up.acme behind frame 0") {
				t.Errorf("status %+v", s)
			}
		}
		st.store.change(func(f *faultyJetStream) { f.unread = false })
		e.broker.change(func(b *fakeBroker) { b.acking = true })
		e.broker.current().events.Lost(errGone)
		advance(10 * time.Second)
		st.complete("acme", 100)
		if s := st.status("acme"); s.Source.LastError != "" || s.Lag.Frames != 0 {
			t.Errorf("status %+v", s)
		}
		for _, m := range []string{"the buffer fails", "the buffer works again"} {
			if n := len(st.log.with(m)); n != 1 {
				t.Errorf("%q was logged %d times", m, n)
			}
		}
	})
}

func TestFramesThatTheBoundsRemovedAreCounted(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		st.stop(time.Second)
		st.bounds.MaxFramesPerConnection = 1000
		st.start()
		e := st.at("acme")
		e.ns.change(func(n *fakeNS) { n.keeps = time.Nanosecond }) // nothing of it can be fetched again
		e.broker.refusing(errGone)
		st.put("acme", nil)
		for range 50 {
			e.ns.send(100)
			synctest.Wait()
		}
		e.broker.refusing(nil)
		advance(time.Minute)
		got, sent := e.broker.published(), e.ns.sent()
		if len(got) < 1000 || len(got) > 1200 {
			t.Fatalf("%d frames were delivered, the bound is 1000", len(got))
		}
		for i, m := range got {
			if n := len(sent) - len(got) + i; !bytes.Equal(m.Payload, sent[n]) {
				t.Fatalf("in place %d: %s, want %s", i, m.Payload, sent[n])
			}
		}
		evicted := uint64(len(sent) - len(got))
		if n := st.deps.Metrics.Connection("acme").FramesEvicted.Load("limits"); n != evicted {
			t.Errorf("%d frames were counted as removed, want %d", n, evicted)
		}
		logged := st.log.with("the buffer's limits removed frames before they were published")
		if len(logged) != 1 || logged[0]["frames"] != float64(evicted) {
			t.Errorf("logged %v", logged)
		}
	})
}
