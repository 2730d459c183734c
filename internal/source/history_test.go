package source

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// movingClock is a Network Server's clock, which the test moves.
type movingClock struct{ now time.Time }

func (c *movingClock) Now() time.Time { return c.now }

// archive is a simulated Network Server with messages a second apart, old enough to be in its REST history.
func archive(t *testing.T, messages int) (*simulator.NS, HistoryOptions, *movingClock) {
	t.Helper()
	clock := &movingClock{time.Date(2026, 11, 20, 10, 0, 0, 250e6, time.UTC)}
	ns, err := simulator.New(simulator.Config{Seed: 7, Now: clock.Now, Tokens: []string{testToken}, Record: messages,
		Filters: map[string]simulator.Filter{"f1": {}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ns.Close)
	for range messages {
		if _, err := ns.Emit(simulator.Order{}); err != nil {
			t.Fatal(err)
		}
		clock.now = clock.now.Add(time.Second)
	}
	clock.now = clock.now.Add(72 * time.Hour)
	server := httptest.NewServer(ns)
	t.Cleanup(server.Close)
	return ns, HistoryOptions{URL: server.URL + simulator.HistoryPath, AccessToken: secret.New(testToken), Filter: "f1"}, clock
}

// readHistory reads a stretch and returns the messages.
func readHistory(t *testing.T, o HistoryOptions, from, to time.Time) (got [][]byte) {
	t.Helper()
	err := ReadHistory(patient(t), o, from, to, func(frames []Frame) error {
		if len(frames) == 0 || len(frames) > MaxBatchFrames {
			t.Errorf("a batch of %d frames", len(frames))
		}
		for _, f := range frames {
			if !f.Envelope.Meta.History || f.Envelope.Type != "uplink" || f.Received.IsZero() {
				t.Errorf("frame %+v", f.Envelope)
			}
			got = append(got, f.Raw)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTheHistoryIsReadPageByPage(t *testing.T) {
	t.Parallel()
	ns, o, clock := archive(t, 100)
	var want [][]byte
	for _, m := range ns.Messages() {
		want = append(want, m.Raw)
	}
	begin := clock.now.Add(-72*time.Hour - 100*time.Second)
	for _, page := range []int{0, 1, 2, 3, 9, 99, 100, 101, 20_000} {
		o.PageFrames = page
		if got := readHistory(t, o, begin, clock.now); !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("pages of %d: %d messages, want the %d in their order, byte for byte", page, len(got), len(want))
		}
	}
	// Whole seconds only: from the one before up to the one behind.
	o.PageFrames = 4
	if got := readHistory(t, o, begin.Add(10*time.Second), begin.Add(20*time.Second)); !slices.EqualFunc(got, want[10:21], bytes.Equal) {
		t.Errorf("%d messages of a stretch of 10 s, want 11", len(got))
	}
	if got := readHistory(t, o, clock.now.Add(-time.Hour), clock.now); len(got) != 0 {
		t.Errorf("%d messages of a quiet hour", len(got))
	}
}

func TestTheHistoryIsSeenAsTheStreamIs(t *testing.T) {
	t.Parallel()
	_, o, clock := archive(t, 30)
	begin := clock.now.Add(-100 * time.Hour)
	single := readHistory(t, o, begin, clock.now)
	o.Duplicate, o.Radio, o.Lora = true, true, true
	copies := readHistory(t, o, begin, clock.now)
	if len(copies) <= len(single) || !bytes.Contains(copies[0], []byte(`"radio"`)) || !bytes.Contains(copies[0], []byte(`"lora"`)) {
		t.Errorf("%d copies of %d messages, the first %s", len(copies), len(single), copies[0])
	}
	o.PageFrames = 2 // copies have ids of their own
	if again := readHistory(t, o, begin, clock.now); !slices.EqualFunc(again, copies, bytes.Equal) {
		t.Errorf("%d copies in pages, want %d", len(again), len(copies))
	}
}

func TestWhoReadsTheHistoryMayStop(t *testing.T) {
	t.Parallel()
	_, o, clock := archive(t, 30)
	o.PageFrames = 5
	enough := errors.New("enough")
	batches := 0
	err := ReadHistory(patient(t), o, clock.now.Add(-100*time.Hour), clock.now, func([]Frame) error {
		if batches++; batches == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || batches != 2 {
		t.Errorf("%v after %d batches", err, batches)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = ReadHistory(ctx, o, clock.now.Add(-100*time.Hour), clock.now, func([]Frame) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) || Classify(err) != Retryable {
		t.Errorf("after cancel: %v", err)
	}
}
