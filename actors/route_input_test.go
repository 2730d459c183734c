package actors

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/messages"
)

// discardMessage is what is logged of a message that is no frame.
const discardMessage = "the Network Server sent what is no Data API message"

// assertDiscards checks what was counted by reason, and that each reason was warned of once.
func (r *route) assertDiscards(id string, want map[string]uint64) {
	r.t.Helper()
	counted := maps.Collect(r.deps.Metrics.Connection(id).FramesDiscarded.All)
	if fmt.Sprint(counted) != fmt.Sprint(want) {
		r.t.Errorf("discarded %v, want %v", counted, want)
	}
	warned := map[string]uint64{}
	for _, e := range r.log.with(discardMessage) {
		if e["level"] == "warn" && e["connection"] == id {
			warned[e["reason"].(string)]++
		}
	}
	for reason := range want {
		if warned[reason] != 1 {
			r.t.Errorf("%d warnings of %s", warned[reason], reason)
		}
	}
}

func TestWhatIsNoFrameHurtsNothingElse(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", nil))
	want := map[string]uint64{}
	const rounds = 3
	for range rounds {
		for reason, messages := range map[string][]string{
			"not_json": {
				"", "x", "{", `{"type":"uplink"`, `{"type":"uplink"}}`, "\xff", `{"type":"uplink",}`, "{'type':'uplink'}",
				strings.Repeat("[", 1_000_000), `{"type":"uplink","params":` + strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 201),
			},
			"not_object": {"[]", "null", "17", `"uplink"`},
			"no_type":    {"{}", `{"type":17}`, `{"type":""}`, `{"type":null}`, `{"type":"` + strings.Repeat("x", 300) + `"}`},
			"bad_meta":   {`{"type":"uplink","meta":[]}`, `{"type":"uplink","meta":null}`},
			"oversize":   {string(bytes.Repeat([]byte("x"), 10_000_000)), `{"type":"uplink","x":"` + strings.Repeat("x", 1<<20) + `"}`},
		} {
			for _, m := range messages {
				r.emit(5)
				if r.ns.Inject([]byte(m)) != 1 {
					t.Fatal("there is no stream")
				}
				want[reason]++
			}
		}
		r.emit(5)
	}
	if d := r.awaitAll(); d.Repeated > 0 {
		t.Errorf("%d repeats", d.Repeated)
	}
	r.assertDiscards("acme", want)
	s := r.awaitStatus("acme", healthy)
	if n := uint64(len(r.sent())); s.Counters.Received != n || s.Counters.Stored != n {
		t.Errorf("%d frames were sent: %+v", n, s.Counters)
	}
	if n := r.ns.Stats().Connects; n != 1 {
		t.Errorf("%d sessions with the Network Server", n)
	}
}

// Binary messages (RFC 6455 §5.6) are not what the Data API speaks, whatever is in them.
func TestBinaryMessagesHurtNothingElse(t *testing.T) {
	r := newRoute(t, nil)
	frames := make([]string, 20)
	for i := range frames {
		frames[i] = fmt.Sprintf(`{"type":"uplink","params":{"counter_up":%d}}`, i)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		conn, err := new(websocket.Upgrader).Upgrade(w, request, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		for _, f := range frames {
			if conn.WriteMessage(websocket.BinaryMessage, []byte(f)) != nil || conn.WriteMessage(websocket.TextMessage, []byte(f)) != nil {
				return
			}
		}
		_, _, _ = conn.ReadMessage() // until the client leaves
	}))
	t.Cleanup(server.Close)
	if err := r.tree.Put(r.spec("acme", func(s *connection.Spec) {
		s.Source.URL = strings.Replace(server.URL, "http", "ws", 1)
	})); err != nil {
		t.Fatal(err)
	}
	r.awaitStatus("acme", func(s messages.Status) bool { return s.Counters.Acknowledged == uint64(len(frames)) })
	for i, raw := range publishedUnder(r.broker, "lora/") {
		if string(raw) != frames[i] {
			t.Errorf("in place %d: %s", i, raw)
		}
	}
	r.assertDiscards("acme", map[string]uint64{"binary": uint64(len(frames))})
	r.stop()
}

// A frame as large as the store takes goes through whole; the next larger one is discarded.
func TestTheLargestFrames(t *testing.T) {
	r := newRoute(t, nil)
	r.put(r.spec("acme", nil))
	r.emit(1)
	r.awaitAll()
	frame := func(size int) []byte {
		const head, tail = `{"type":"uplink","params":{"payload":"`, `"}}`
		return []byte(head + strings.Repeat("A", size-len(head)-len(tail)) + tail)
	}
	var want [][]byte
	for range 5 {
		for _, size := range []int{100_000, 1 << 20, 1<<20 + 1} {
			f := frame(size)
			r.ns.Inject(f)
			if size <= 1<<20 {
				want = append(want, f)
			}
		}
	}
	r.broker.AwaitPublished(1 + len(want))
	for i, raw := range publishedUnder(r.broker, "lora/")[1:] {
		if !bytes.Equal(raw, want[i]) {
			t.Errorf("in place %d: %d bytes, want %d", i, len(raw), len(want[i]))
		}
	}
	r.awaitStatus("acme", healthy)
	r.assertDiscards("acme", map[string]uint64{"oversize": 5})
}
