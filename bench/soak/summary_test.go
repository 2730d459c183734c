package soak

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/faultywire"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// newFinished is a stage after a run in which two messages were sent.
func newFinished(t *testing.T) *stage {
	t.Helper()
	s := &stage{Options: Options{Seed: 7, Duration: second, Brokers: []string{Mochi}, Replay: "this again"}, start: time.Now()}
	s.timeline, s.ledger = &timeline{start: s.start, out: io.Discard}, newLedger(s.start)
	var err error
	if s.ns, err = simulator.New(simulator.Config{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.ns.Close)
	r := &route{id: Mochi, recorded: newRecord(s.ledger)}
	if r.pubacks, err = faultywire.NewPubackProxy("127.0.0.1:1", nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.pubacks.Close)
	s.routes = []*route{r}
	s.timeline.begin(Fault{Place: Place{Class: Lorry}, Kind: Kill})
	for n, device := range []string{"70b3d57ed0000001", "70b3d57ed0000002"} {
		raw := []byte(strings.ReplaceAll(live, "70b3d57ed0000001", device))
		s.ledger.Generated(simulator.Message{N: uint64(n + 1), Type: "uplink", Device: device, Raw: raw})
		s.ledger.Sent(simulator.Sent{N: uint64(n + 1), Stream: 1, Raw: raw})
	}
	return s
}

// deliver has a payload published and acknowledged.
func (r *route) deliver(t *testing.T, device, payload string) {
	t.Helper()
	r.recorded.Published(1, packet(t, 2, "soak/uplink/"+device, payload))
	r.recorded.Acknowledged(1, 1)
	r.recorded.Passed(1, 1)
}

func TestReportOfPromisesKept(t *testing.T) {
	s := newFinished(t)
	s.routes[0].deliver(t, "70b3d57ed0000001", live)
	s.routes[0].deliver(t, "70b3d57ed0000002", strings.ReplaceAll(live, "d0000001", "d0000002"))
	s.ledger.Generated(simulator.Message{N: 3, Private: 1, Raw: []byte(live)}) // not owed
	// The simulator knows of no stream, so there is no order to keep: that is the verdict's own test.
	e := s.evidence(s.routes[0])
	e.streams = [][]sent{s.ledger.sent}
	if v := judge(e); !v.holds() || v.owed != 2 || v.delivered != 2 {
		t.Errorf("%+v", v)
	}
}

// TestReportOfPromisesBroken has one message lost, and in its place one that nobody sent and one that is damaged.
func TestReportOfPromisesBroken(t *testing.T) {
	s := newFinished(t)
	s.routes[0].deliver(t, "70b3d57ed0000002", strings.ReplaceAll(live, "d0000001", "d0000002")+" ")
	s.routes[0].deliver(t, "70b3d57ed0000002", "hello")
	var out strings.Builder
	if err := s.report(&out, 2*second, nil); !errors.Is(err, ErrBroken) {
		t.Errorf("the report ends with %v", err)
	}
	for _, want := range []string{
		"Seed 7: 1 faults in 1s, with all that followed 2s. **Not as promised.**", "this again",
		"Lost, 1, the first of them:\n\n- message 1, uplink of ", "s (then on: lorry: kill -9 (", "; never published\n",
		"Damaged, 1, the first of them:\n\n- at ", "it has other bytes than were sent: ", "message 2, uplink",
		"Foreign, 1, the first of them:\n\n- at ", `: "hello"`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
}

func TestReportOfARunThatFailed(t *testing.T) {
	s := newFinished(t)
	s.ledger = newLedger(s.start) // nothing was sent
	var out strings.Builder
	if err := s.report(&out, second, errMissing); err != nil || !strings.Contains(out.String(), "**Not as promised.**") {
		t.Errorf("%v\n%s", err, &out)
	}
}
