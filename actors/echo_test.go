package actors

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/echo"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/messages"
)

// What is logged of an echo.
const (
	echoMessage     = "echo: the Network Server's own messages come back on topic_down"
	echoOverMessage = "echo is over"
)

// complaint is the error with which the Network Server answers a message of the wrong shape.
const complaint = `{"type":"error","meta":{"time":1765432500.1},"params":{"message":"Bad message format. Received data: {\"a\":1}"}}`

// comeBack has so many of the Network Server's messages arrive on topic_down within a time.
func (e *ends) comeBack(n int, within time.Duration) {
	for range n {
		e.arrive(complaint)
		advance(within / time.Duration(n))
	}
}

func TestAnEchoIsLoggedWhenItBeginsAndRisesAndOnceWhenItIsOver(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		assert := func(when string, want ...float64) {
			t.Helper()
			got := st.log.with(echoMessage)
			rates := []float64{}
			for _, entry := range got {
				rates = append(rates, entry["per_second"].(float64))
				if entry["level"] != "warn" || entry["connection"] != "acme" || entry["topic"] != "downstream" ||
					!strings.Contains(entry["mend"].(string), "bridge") || strings.Contains(fmt.Sprint(entry), "Bad message") {
					t.Errorf("%s: logged %v", when, entry)
				}
			}
			if fmt.Sprint(rates) != fmt.Sprint(want) {
				t.Errorf("%s: rates logged %v, want %v", when, rates, want)
			}
		}
		e.comeBack(2, time.Second)
		advance(2 * echo.Quiet)
		assert("after two slips")
		e.comeBack(60, 6*time.Second)
		assert("when it has begun", 10)
		e.comeBack(600, time.Minute)
		assert("while it goes on", 10)
		e.comeBack(1000, 10*time.Second)
		assert("when it has risen", 10, 82) // the window began a second before
		if n := len(st.log.with(echoOverMessage)); n != 0 {
			t.Errorf("it was logged to be over %d times while it was not", n)
		}
		advance(2 * echo.Quiet)
		over := st.log.with(echoOverMessage)
		if len(over) != 1 || over[0]["messages"] != 1660.0 || over[0]["topic"] != "downstream" || over[0]["connection"] != "acme" {
			t.Errorf("its end was logged as %v", over)
		}
		e.comeBack(60, 6*time.Second)
		assert("when it is back", 10, 82, 10)
		if n := st.discarded("acme", discardFromNS); n != 1722 {
			t.Errorf("%d were counted", n)
		}
		if got := e.ns.current().downlinks(); len(got) != 0 {
			t.Errorf("%d were forwarded, the first %.100q", len(got), got[0])
		}
	})
}

func TestWhatQuotesTheNetworkServersComplaintIsNotSentBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		e := st.put("acme", nil)
		for _, m := range []string{
			complaint, "[" + complaint + "]", fmt.Sprintf(`{"topic":"lora/error/{device}","payload":%q}`, complaint),
			fmt.Sprintf(`{"type":"downlink_response","params":{"payload":%q}}`, complaint),
		} {
			e.arrive(m)
		}
		synctest.Wait()
		if got := e.ns.current().downlinks(); len(got) != 0 {
			t.Errorf("forwarded %q", got)
		}
		if n := st.discarded("acme", discardFromNS); n != 4 {
			t.Errorf("%d were counted", n)
		}
	})
}

func TestALongTopicIsShortened(t *testing.T) {
	if got := shownTopic(strings.Repeat("ü", 200)); len(got) > maxShownTopic+len("…") || !strings.HasPrefix(got, "üü") || !strings.HasSuffix(got, "ü…") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	if got := shownTopic("downstream"); got != "downstream" {
		t.Errorf("shown as %s", got)
	}
}

// mirror is a client of the broker that publishes to topic_down whatever arrives on topic_up, made into something else
// by wrap.
func (r *route) mirror(wrap func([]byte) []byte) {
	r.t.Helper()
	uri, err := broker.ParseURI(r.broker.URI("mqtt"))
	if err != nil {
		r.t.Fatal(err)
	}
	arrived := make(chan []byte, 10_000)
	session, err := broker.Connect(r.t.Context(), broker.Options{URI: uri, ClientID: "mirror"}, broker.Events{
		Arrived: func(_ string, payload []byte) { arrived <- payload },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for seq := uint64(1); ; seq++ {
			select {
			case payload := <-arrived:
				if session.Publish(broker.Message{Seq: seq, Topic: "downstream", Payload: wrap(payload)}) != nil {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	r.t.Cleanup(func() { cancel(); session.Close(); <-done })
	if err := session.Subscribe(r.t.Context(), "lora/#"); err != nil {
		r.t.Fatal(err)
	}
}

func TestALoopAtTheBrokerIsBroken(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", nil))
	r.broker.AwaitSubscription("downstream")
	r.mirror(func(payload []byte) []byte { return payload })
	const frames = 200
	r.emit(frames)
	r.ns.Inject([]byte(complaint))
	discarded := func() uint64 { return r.deps.Metrics.Connection("acme").DownlinksDiscarded.Load(discardFromNS) }
	r.awaitStatus("acme", func(messages.Status) bool { return discarded() == frames+1 })
	r.awaitStatus("acme", func(messages.Status) bool { return len(r.log.with(echoMessage)) > 0 })
	if n := len(r.log.with(echoMessage)); n != 1 {
		t.Errorf("logged %d times", n)
	}
	if s := r.awaitStatus("acme", healthy); s.Counters.DownlinksReceived != frames+1 || s.Counters.DownlinksForwarded != 0 {
		t.Errorf("counters %+v", s.Counters)
	}
	if s := r.ns.Stats(); s.Received != 0 {
		t.Errorf("the Network Server received %d messages", s.Received)
	}
}

// A bridge that wraps what it copies hides its type: the Network Server complains of each, once. The complaint would
// come back as well and be complained of, without end.
func TestALoopThatWrapsWhatItCopiesDoesNotFeedItself(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", nil))
	r.broker.AwaitSubscription("downstream")
	r.mirror(func(payload []byte) []byte { return fmt.Appendf(nil, `{"from":"bridge","payload":%q}`, payload) })
	const frames = 50
	r.emit(frames)
	discarded := func() uint64 { return r.deps.Metrics.Connection("acme").DownlinksDiscarded.Load(discardFromNS) }
	r.awaitNS("a complaint of each frame", func(s simulator.Stats) bool { return s.Received == frames })
	r.awaitStatus("acme", func(messages.Status) bool { return discarded() == frames })
	if s := r.awaitStatus("acme", healthy); s.Counters.DownlinksReceived != 2*frames || s.Counters.DownlinksForwarded != frames {
		t.Errorf("counters %+v", s.Counters)
	}
	if s := r.ns.Stats(); s.Received != frames {
		t.Errorf("the Network Server received %d messages", s.Received)
	}
}
