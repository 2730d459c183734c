package actors

import (
	"context"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

// change gives the connection "acme" another configuration while frames flow, and waits until it is told of it.
func (r *route) change(change func(*connection.Spec)) {
	r.t.Helper()
	told := len(r.log.with("the configuration has changed"))
	r.emit(100)
	if err := r.tree.Put(r.spec("acme", change)); err != nil {
		r.t.Fatal(err)
	}
	r.emit(100)
	r.awaitStatus("acme", func(messages.Status) bool { return len(r.log.with("the configuration has changed")) > told })
}

// restarted is what the last change restarted.
func (r *route) restarted() any {
	told := r.log.with("the configuration has changed")
	return told[len(told)-1]["restarted"]
}

func TestANewTopicRestartsNoSession(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", nil))
	r.awaitStatus("acme", healthy)
	for _, topic := range []string{"lora/one/{device}", "lora/two/{type}", "lora/three"} {
		r.change(func(s *connection.Spec) { s.TopicUp = topic })
		if d := r.awaitAll(); d.Repeated > 0 {
			t.Errorf("%d repeats", d.Repeated)
		}
		if got := r.restarted(); got != topicRouterName {
			t.Errorf("restarted: %v", got)
		}
	}
	for deadline := time.Now().Add(testkit.Patience); ; { // what was routed before goes where it was routed to
		r.emit(1)
		r.awaitAll()
		all := r.broker.Published()
		if all[len(all)-1].Topic == "lora/three" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("published to %s", all[len(all)-1].Topic)
		}
	}
	if r.proxy.Connects() != 1 || r.ns.Stats().Connects != 1 {
		t.Errorf("%d CONNECTs, %d sessions with the Network Server", r.proxy.Connects(), r.ns.Stats().Connects)
	}
}

func TestWhatAConnectionIsCalledRestartsNothing(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", nil))
	r.emit(100)
	r.awaitAll()
	err := r.tree.Put(r.spec("acme", func(s *connection.Spec) {
		s.Description, s.Tags = "another one", map[string]string{"customer": "acme"}
	}))
	if err != nil {
		t.Fatal(err)
	}
	r.emit(100)
	r.awaitAll()
	if n := len(r.log.with("the configuration has changed")); n > 0 || r.proxy.Connects() != 1 || r.ns.Stats().Connects != 1 {
		t.Errorf("%d changes, %d CONNECTs, %d sessions with the Network Server", n, r.proxy.Connects(), r.ns.Stats().Connects)
	}
}

func TestAnotherSourceRestartsTheReaderOnly(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", nil))
	r.awaitStatus("acme", healthy)
	r.emit(100)
	r.absence(100, func() { // else what is live and what is replayed would come in any order
		r.change(func(s *connection.Spec) { s.Source.ReplayMargin = connection.Duration(2 * time.Minute) })
		r.awaitNS("the stream's end", func(s simulator.Stats) bool { return s.Streams == 0 })
	})
	if d := r.awaitAll(); d.Repeated > 0 {
		t.Errorf("%d repeats", d.Repeated)
	}
	r.emit(100)
	r.awaitAll()
	if got := r.restarted(); got != nsReaderName || r.proxy.Connects() != 1 {
		t.Errorf("restarted: %v, %d CONNECTs", got, r.proxy.Connects())
	}
}

// A publisher whose PUBACKs do not come is not waited for longer than a replaced connection.
func TestAnotherBrokerWhileTheFirstIsSilent(t *testing.T) {
	r := newRoute(t, nil)
	other := testkit.StartBroker(t)
	r.proxy.Withhold()
	r.put(r.spec("acme", func(s *connection.Spec) { s.MQTT.AckTimeout = connection.Duration(time.Minute) }))
	r.emit(300)
	r.proxy.AwaitHeld(100)
	r.change(func(s *connection.Spec) { s.URI = connection.NewURI(other.URI("mqtt")) })
	other.AwaitPublished(500)
	r.awaitStatus("acme", healthy)
}

func TestAConnectionThatMovesToAnotherBroker(t *testing.T) {
	r := newRoute(t, nil)
	other := testkit.StartBroker(t)
	r.put(r.spec("acme", nil))
	r.awaitStatus("acme", healthy)
	r.emit(300)
	r.change(func(s *connection.Spec) { s.URI = connection.NewURI(other.URI("mqtt")) })
	if n := r.ns.Stats().Connects; n != 1 {
		t.Errorf("%d sessions with the Network Server", n)
	}
	all := func() testkit.Delivery {
		return testkit.Verify(t, r.sent(), append(publishedUnder(r.broker, "lora/"), publishedUnder(other, "lora/")...))
	}
	for {
		n := len(other.Published())
		if all().Lost == 0 {
			break
		}
		other.AwaitPublished(n + 1)
	}
	here := len(r.broker.Published())
	r.emit(100)
	other.AwaitPublished(600 - here)
	if d := all(); d != (testkit.Delivery{}) {
		t.Errorf("delivered %+v", d)
	}
	if n := len(r.broker.Published()); n != here {
		t.Errorf("%d frames more reached the broker before", n-here)
	}
	r.broker.AwaitDisconnects(1)
	r.broker.Send("downstream", []byte(claim(1)), 1)
	other.AwaitSubscription("downstream")
	other.Send("downstream", []byte(claim(2)), 1)
	r.awaitNS("a downlink", func(s simulator.Stats) bool { return s.Received > 0 })
	if got := r.ns.Received(); len(got) != 1 || string(got[0].Raw) != claim(2) {
		t.Errorf("the Network Server received %+v", got)
	}
}

func TestAConnectionThatIsRemoved(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", nil))
	r.put(r.spec("other", func(s *connection.Spec) { s.TopicUp = "other/{type}" }))
	r.awaitNS("both streams", func(s simulator.Stats) bool { return s.Streams == 2 })
	r.emit(300)
	r.awaitAll()
	if err := r.tree.Remove("acme"); err != nil {
		t.Fatal(err)
	}
	r.broker.AwaitDisconnects(1)
	r.awaitNS("the stream's end", func(s simulator.Stats) bool { return s.Streams == 1 })
	before := len(publishedUnder(r.broker, "lora/"))
	r.emit(300)
	r.awaitUnder("other/")
	if n := len(publishedUnder(r.broker, "lora/")); n != before {
		t.Errorf("%d frames were published for a connection that is gone", n-before)
	}
	if all, err := r.tree.Status(); err != nil || len(all) != 1 {
		t.Errorf("there are %+v, %v", all, err)
	}
	r.put(r.spec("acme", nil)) // it was gone, but not forgotten
	if d := r.awaitAll(); d.Repeated > 0 {
		t.Errorf("%d repeats after a drain", d.Repeated)
	}
}

func TestStopWaitsForWithheldPubacks(t *testing.T) {
	r := newRoute(t, nil)
	r.proxy.Withhold()
	r.put(r.spec("acme", nil))
	r.emit(300)
	r.proxy.AwaitHeld(100)
	tree := r.tree
	r.tree = nil
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
		defer cancel()
		stopped <- tree.Stop(ctx, testkit.Patience)
	}()
	r.awaitNS("the stream's end", func(s simulator.Stats) bool { return s.Streams == 0 })
	released, ended := 0, false
	for !ended {
		select {
		case err := <-stopped:
			if ended = true; err != nil {
				t.Error(err)
			}
		case <-time.After(time.Millisecond):
			released += r.proxy.Release(3)
		}
	}
	r.broker.AwaitDisconnects(1)
	published := len(r.broker.Published())
	if published < 100 || released != published { // how many more go out before the drain reaches the publisher is chance
		t.Errorf("%d frames were published, the tree stopped after %d PUBACKs", published, released)
	}
	if c, _, err := r.deps.Cursors.Load(t.Context(), "acme"); err != nil || c.Number != uint64(published) {
		t.Errorf("the cursor is %+v, %v", c, err)
	}
	r.proxy.Pass()
	r.start()
	r.put(r.spec("acme", nil))
	if d := r.awaitAll(); d.Repeated > 0 {
		t.Errorf("%d repeats after a drain", d.Repeated)
	}
	r.awaitStatus("acme", func(s messages.Status) bool { return healthy(s) && s.Counters.Acknowledged == 300 })
}
