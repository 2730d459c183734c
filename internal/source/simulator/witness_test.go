package simulator

import (
	"bytes"
	"sync"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// witness keeps what it is told.
type witness struct {
	mu       sync.Mutex
	messages []Message
	sent     []Sent
}

func (w *witness) Generated(m Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.messages = append(w.messages, m)
}

func (w *witness) Sent(s Sent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.Raw = bytes.Clone(s.Raw)
	w.sent = append(w.sent, s)
}

func TestAWitnessIsToldOfAllThatTheLedgerKeeps(t *testing.T) {
	w := &witness{}
	ns := start(t, Config{Record: 100, Witness: w})
	emitN(t, ns, dataapi.Uplink, 5)
	c := dial(t, ns, nil, "from_unixtime=0") // five replayed
	c.nextN(t, 5)
	emitN(t, ns, dataapi.JoinRequest, 5)
	ns.Inject([]byte("garbage"))
	c.nextN(t, 6)
	w.mu.Lock()
	defer w.mu.Unlock()
	messages, sent := ns.Messages(), ns.Sent()
	if len(w.messages) != 10 || len(messages) != 10 || len(w.sent) != 11 || len(sent) != 11 {
		t.Fatalf("witnessed %d messages, %d frames; recorded %d, %d", len(w.messages), len(w.sent), len(messages), len(sent))
	}
	for i, m := range messages {
		if w.messages[i].N != m.N || !bytes.Equal(w.messages[i].Raw, m.Raw) {
			t.Errorf("message %d: witnessed %s, recorded %s", i, w.messages[i].Raw, m.Raw)
		}
	}
	for i, s := range sent {
		if got := w.sent[i]; got.N != s.N || got.History != s.History || !bytes.Equal(got.Raw, s.Raw) {
			t.Errorf("frame %d: witnessed %+v, recorded %+v", i, got, s)
		}
	}
}
