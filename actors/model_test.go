package actors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// ordeal is a connection to which everything happens in an order that is drawn. What the Network Server has sent, a
// plain slice, is the reference: each of it has to arrive.
type ordeal struct {
	*ends
	st     *treeStage
	spec   connection.Spec
	id     string
	window int

	acked    map[*fakeSession]map[uint64]bool // by ticket
	unsaved  int                              // PUBACKs that the cursor may not have been told of
	repeats  int                              // that the ends of sessions and of processes allow
	evicted  bool
	requests int
}

func (o *ordeal) begin(*rapid.T) {
	if err := o.st.tree.Put(o.spec); err != nil {
		o.st.t.Fatal(err)
	}
	synctest.Wait()
}

// session is the newest one, if it is open.
func (o *ordeal) session() *fakeSession {
	all := o.broker.all()
	if len(all) == 0 || all[len(all)-1].isClosed() {
		return nil
	}
	return all[len(all)-1]
}

func (o *ordeal) send(t *rapid.T) {
	o.ns.send(rapid.IntRange(1, 150).Draw(t, "frames"))
	synctest.Wait()
}

func (o *ordeal) request(t *rapid.T) {
	o.ns.request(time.Duration(rapid.IntRange(0, 5000).Draw(t, "answerable ms")) * time.Millisecond)
	o.requests++
	synctest.Wait()
}

// acknowledge sends PUBACKs for some of what was published in this session, in any order.
func (o *ordeal) acknowledge(t *rapid.T) {
	s := o.session()
	if s == nil {
		t.Skip("no session")
	}
	var waiting []uint64
	for _, m := range s.messages() {
		if !o.acked[s][m.Seq] {
			waiting = append(waiting, m.Seq)
		}
	}
	if len(waiting) > o.window {
		t.Fatalf("%d unacknowledged in a window of %d", len(waiting), o.window)
	}
	seed := rapid.Uint64().Draw(t, "order")
	r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // it is drawn
	r.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	if o.acked[s] == nil {
		o.acked[s] = map[uint64]bool{}
	}
	for _, ticket := range waiting[:rapid.IntRange(0, len(waiting)).Draw(t, "PUBACKs")] {
		o.acked[s][ticket] = true
		o.unsaved++
		s.events.Acknowledged(ticket)
	}
	synctest.Wait()
}

func (o *ordeal) drop(t *rapid.T) {
	s := o.session()
	if s == nil {
		t.Skip("no session")
	}
	s.events.Lost(errGone)
	synctest.Wait()
}

func (o *ordeal) brokerAway(*rapid.T) { o.broker.refusing(errGone) }

func (o *ordeal) brokerBack(*rapid.T) { o.broker.refusing(nil) }

func (o *ordeal) dropSource(*rapid.T) {
	if all := o.ns.all(); len(all) > 0 {
		all[len(all)-1].end(errGone)
	}
	synctest.Wait()
}

func (o *ordeal) pass(t *rapid.T) {
	d := time.Duration(rapid.IntRange(1, 4000).Draw(t, "ms")) * time.Millisecond
	advance(d)
	if d > tick {
		o.unsaved = 0
	}
}

// restart ends the connection in good order and begins it again.
func (o *ordeal) restart(t *rapid.T) {
	if err := o.st.tree.Remove(o.id); err != nil {
		o.st.t.Fatal(err)
	}
	o.unsaved = 0
	o.begin(t)
}

// crash ends it without a word to the store.
func (o *ordeal) crash(t *rapid.T) {
	o.st.store.change(func(f *faultyJetStream) { f.cursor = errGone })
	if err := o.st.tree.Remove(o.id); err != nil {
		o.st.t.Fatal(err)
	}
	o.st.store.change(func(f *faultyJetStream) { f.cursor = nil })
	o.repeats += o.unsaved
	o.unsaved = 0
	o.begin(t)
}

// evict removes the oldest frames from the buffer, whether they are published or not.
func (o *ordeal) evict(t *rapid.T) {
	stream, err := o.st.store.Stream(o.st.t.Context(), buffer.StreamName)
	if err != nil {
		o.st.t.Fatal(err)
	}
	keep := rapid.Uint64Range(1, 5).Draw(t, "messages kept")
	if err := stream.Purge(o.st.t.Context(), jetstream.WithPurgeSubject("up."+o.id), jetstream.WithPurgeKeep(keep)); err != nil {
		o.st.t.Fatal(err)
	}
	o.evicted = true
}

// verify lets everything through and compares it with what was sent.
func (o *ordeal) verify(t *rapid.T) {
	o.broker.change(func(b *fakeBroker) { b.acking, b.refuse = true, nil })
	if s := o.session(); s != nil {
		s.events.Lost(errGone)
	}
	advance(30 * time.Minute)
	for _, s := range o.broker.all() {
		o.repeats += min(o.window, len(s.numbers()))
	}
	d := testkit.Verify(o.st.t, o.ns.sent(), o.broker.payloads())
	if d.Lost > 0 || d.Foreign > 0 {
		t.Fatalf("delivered %+v of %d", d, len(o.ns.sent()))
	}
	if o.evicted {
		return // what is fetched again comes behind what was stored, and may come twice
	}
	if d.Repeated > o.repeats {
		t.Fatalf("%d repeats, at most %d are allowed", d.Repeated, o.repeats)
	}
	taken := o.taken(func(m broker.Message) bool { return envelopeOf(o.st.t, m.Payload).Type != dataapi.Uplink })
	if !slices.IsSorted(taken) {
		t.Fatalf("first deliveries out of order: %v", taken)
	}
}

// undated is a test without its deadline, which must not be asked for in a bubble.
type undated struct{ testing.TB }

// TestAgainstWhatWasSent is the way of the frames (window, cursor, feed, lanes) against a plain slice.
func TestAgainstWhatWasSent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		st := newTreeStage(t, nil)
		connections := 0
		rapid.Check(undated{t}, func(rt *rapid.T) {
			connections++
			o := &ordeal{st: st, id: fmt.Sprintf("c%d", connections), window: rapid.IntRange(1, 20).Draw(rt, "window"), acked: map[*fakeSession]map[uint64]bool{}}
			o.ends = st.at(o.id)
			o.broker.acking = false
			o.spec = st.spec(o.id, func(s *connection.Spec) { s.MQTT.MaxInflight = o.window })
			o.begin(rt)
			rt.Repeat(map[string]func(*rapid.T){
				"frames": o.send, "request": o.request, "PUBACKs": o.acknowledge, "PUBACKs again": o.acknowledge,
				"session lost": o.drop, "broker away": o.brokerAway, "broker back": o.brokerBack, "source lost": o.dropSource,
				"time": o.pass, "restart": o.restart, "crash": o.crash, "evicted": o.evict,
			})
			o.verify(rt)
			if err := st.tree.Remove(o.id); err != nil {
				t.Fatal(err)
			}
		})
	})
}
