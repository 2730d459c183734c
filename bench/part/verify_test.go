package part

import (
	"bytes"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestVerifier(t *testing.T) {
	flood := Flood{Frames: 10, Size: 560, Epoch: 1_700_000_000}
	sender, err := flood.networkServer()
	if err != nil {
		t.Fatal(err)
	}
	altered := bytes.Replace(sender.FloodFrame(7), []byte("uplink"), []byte("UPLINK"), 1)
	other := Flood{Frames: 10, Size: 560, Epoch: 1_700_000_001}
	stranger, err := other.networkServer()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		messages                               [][]byte
		arrived, repeated, disordered, foreign uint64
	}{
		"in order":     {[][]byte{sender.FloodFrame(1), sender.FloodFrame(2), sender.FloodFrame(10)}, 3, 0, 0, 0},
		"repeated":     {[][]byte{sender.FloodFrame(1), sender.FloodFrame(2), sender.FloodFrame(1), sender.FloodFrame(2)}, 2, 2, 0, 0},
		"out of order": {[][]byte{sender.FloodFrame(3), sender.FloodFrame(1), sender.FloodFrame(2), sender.FloodFrame(4)}, 4, 0, 2, 0},
		"altered":      {[][]byte{altered}, 0, 0, 0, 1},
		"no frame":     {[][]byte{[]byte("{}")}, 0, 0, 0, 1},
		"never sent":   {[][]byte{sender.FloodFrame(11), sender.FloodFrame(0)}, 0, 0, 0, 2},
		"other flood":  {[][]byte{stranger.FloodFrame(1)}, 0, 0, 0, 1},
	} {
		v, err := newVerifier(&flood)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range c.messages {
			v.take(m)
		}
		for i, want := range []uint64{c.arrived, c.repeated, c.disordered, c.foreign} {
			if got := v.numbers()[i]; got.value.Load() != want {
				t.Errorf("%s: %s is %d, want %d", name, got.name, got.value.Load(), want)
			}
		}
	}
}

func TestPrebuild(t *testing.T) {
	flood := Flood{Frames: 3, Size: 560, Epoch: 1_700_000_000}
	frames, err := flood.prebuild(3)
	if err != nil {
		t.Fatal(err)
	}
	topics := map[string]bool{}
	for _, f := range frames {
		if len(f.frame) != flood.Size {
			t.Errorf("a frame has %d bytes", len(f.frame))
		}
		if len(f.topic) != len("lora/uplink/0123456789abcdef") {
			t.Errorf("topic %q", f.topic)
		}
		topics[f.topic] = true
	}
	if len(topics) != len(frames) {
		t.Errorf("%d topics for frames of %d devices", len(topics), len(frames))
	}
}
