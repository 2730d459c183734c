package simulator

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTheSameSeedAndTimesGiveTheSameBytes(t *testing.T) {
	run := func(seed uint64) [][]byte {
		ns, messages := sample(t, Config{Seed: seed, Devices: 30}, 2000)
		var out [][]byte
		for _, m := range messages {
			for c := range m.frames(true) {
				out = append(out, ns.gen.render(nil, m, view{radio: true, lora: true, copy: c}))
			}
		}
		return out
	}
	once, again, other := run(42), run(42), run(43)
	if len(once) != len(again) {
		t.Fatalf("%d frames, then %d", len(once), len(again))
	}
	same := 0
	for i := range once {
		if !bytes.Equal(once[i], again[i]) {
			t.Fatalf("frame %d differs:\n%s\n%s", i, once[i], again[i])
		}
		if i < len(other) && bytes.Equal(once[i], other[i]) {
			same++
		}
	}
	if same > 0 {
		t.Errorf("%d frames of another seed are the same", same)
	}
}

func TestWhatClientsDoDoesNotChangeTheDevicesTraffic(t *testing.T) {
	run := func(disturb bool) (out [][]byte) {
		clock := newFakeClock()
		ns := newNS(t, Config{Seed: 5, Now: clock.Now, Devices: 3})
		for i := range 500 {
			clock.advance(20 * time.Millisecond)
			m := ns.gen.next(clock.Now())
			if m.kept() {
				out = append(out, ns.gen.render(nil, m, view{radio: true}))
			}
			if disturb && i%3 == 0 {
				ns.receive(&stream{ns: ns, id: 1}, []byte(`{"type":"status_request","meta":{"device":"`+ns.Devices()[i%3]+`"}}`))
			}
		}
		return out
	}
	quiet, disturbed := run(false), run(true)
	for i := range quiet {
		if !bytes.Equal(quiet[i], disturbed[i]) {
			t.Fatalf("uplink or downlink %d differs:\n%s\n%s", i, quiet[i], disturbed[i])
		}
	}
}

// A replayed message differs from the live one by an insertion and nothing else, and Canonical sees through it.
func TestMarkingHistoryTouchesNoOtherByte(t *testing.T) {
	clock := newFakeClock()
	rapid.Check(t, func(t *rapid.T) {
		ns, err := New(Config{Seed: rapid.Uint64().Draw(t, "seed"), Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			m := ns.gen.next(clock.Now())
			v := view{radio: rapid.Bool().Draw(t, "radio"), lora: rapid.Bool().Draw(t, "lora")}
			live := ns.gen.render(nil, m, v)
			v.history = true
			replayed := ns.gen.render(nil, m, v)
			v.reshuffle = true
			reshuffled := ns.gen.render(nil, m, v)

			if !isInsertion(live, replayed) {
				t.Fatalf("not an insertion:\n%s\n%s", live, replayed)
			}
			want := mustCanonical(t, live)
			for _, frame := range [][]byte{replayed, reshuffled} {
				var e envelope
				if err := json.Unmarshal(frame, &e); err != nil || e.Meta["history"] != true {
					t.Fatalf("meta.history is %v (%v): %s", e.Meta["history"], err, frame)
				}
				if got := mustCanonical(t, frame); got != want {
					t.Fatalf("replayed message is another one:\n%s\n%s", want, got)
				}
			}
		}
	})
}

// isInsertion tells whether b is a with one stretch of bytes put in.
func isInsertion(a, b []byte) bool {
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	return len(b) > len(a) && bytes.Equal(a[i:], b[len(b)-(len(a)-i):])
}

func mustCanonical(t *rapid.T, frame []byte) string {
	c, err := Canonical(frame)
	if err != nil {
		t.Fatal(err)
	}
	return string(c)
}

func TestNoTwoMessagesAreTheSame(t *testing.T) {
	clock := newFakeClock() // stands still: not even time tells them apart
	ns := newNS(t, Config{Seed: 1, Now: clock.Now, Devices: 20, StuckCounters: 5})
	seen := make(map[string]bool)
	for range 5000 {
		c := canonical(t, ns.gen.render(nil, ns.gen.next(clock.Now()), view{}))
		if seen[c] {
			t.Fatalf("twice: %s", c)
		}
		seen[c] = true
	}
}

func TestCanonicalRefusesWhatIsNoMessage(t *testing.T) {
	for _, frame := range []string{"", "no json", "[1]", `"text"`} {
		if c, err := Canonical([]byte(frame)); err == nil {
			t.Errorf("%q is %s", frame, c)
		}
	}
}
