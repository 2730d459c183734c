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

// change replaces the connection "acme" while frames flow, has some more come in between, and waits until the new
// one streams.
func (r *route) change(change func(*connection.Spec)) {
	r.t.Helper()
	r.absence(100, func() {
		if err := r.tree.Put(r.spec("acme", change)); err != nil {
			r.t.Fatal(err)
		}
		r.awaitNS("the stream's end", func(s simulator.Stats) bool { return s.Streams == 0 })
	})
}

func TestAConnectionThatIsReplacedLosesNothing(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", nil))
	for _, topic := range []string{"lora/one/{device}", "lora/two/{type}", "lora/three"} {
		r.emit(100)
		r.change(func(s *connection.Spec) { s.TopicUp = topic })
		if d := r.awaitAll(); d.Repeated > 0 { // of the absence, from history
			t.Errorf("%d repeats: the connection before was not drained", d.Repeated)
		}
		r.emit(100)
		r.awaitAll()
	}
	r.awaitStatus("acme", healthy)
	var last string
	for _, p := range r.broker.Published() {
		last = p.Topic
	}
	if last != "lora/three" {
		t.Errorf("the last frame was published to %s", last)
	}
}

func TestAConnectionThatMovesToAnotherBroker(t *testing.T) {
	r := newRoute(t, nil)
	other := testkit.StartBroker(t)
	r.put(r.spec("acme", nil))
	r.awaitStatus("acme", healthy)
	r.emit(300)
	r.change(func(s *connection.Spec) { s.URI = connection.NewURI(other.URI("mqtt")) })
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
	other.AwaitPublished(500 - here)
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
