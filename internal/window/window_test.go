package window_test

import (
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/window"
)

const second = time.Second

func TestTheFloorFollowsTheOldestUnacknowledgedFrame(t *testing.T) {
	w := window.New(3, second, 10)
	for n := uint64(11); n <= 13; n++ {
		if !w.Add(n) {
			t.Fatalf("frame %d is new and must be published", n)
		}
	}
	if w.Free() != 0 || w.InFlight() != 3 {
		t.Fatalf("free %d, in flight %d", w.Free(), w.InFlight())
	}
	for _, step := range []struct{ ack, floor uint64 }{{12, 10}, {11, 12}, {13, 13}} {
		if _, awaited := w.Acknowledge(step.ack); !awaited {
			t.Fatalf("the PUBACK of %d was awaited", step.ack)
		}
		if w.Floor() != step.floor {
			t.Fatalf("floor %d after the PUBACK of %d, want %d", w.Floor(), step.ack, step.floor)
		}
	}
	for _, n := range []uint64{13, 99} {
		if _, awaited := w.Acknowledge(n); awaited {
			t.Fatalf("a PUBACK of %d that nobody awaits was counted", n)
		}
	}
}

func TestTheDeadlineIsThatOfTheOldestFrameOnTheWire(t *testing.T) {
	start := time.Unix(1000, 0)
	w := window.New(10, second, 0)
	w.Add(1)
	w.Add(2)
	if _, awaited := w.Deadline(); awaited {
		t.Fatal("a frame that is not on the wire has no deadline")
	}
	w.Sent(1, start)
	w.Sent(2, start.Add(300*time.Millisecond))
	if d, _ := w.Deadline(); !d.Equal(start.Add(second)) {
		t.Fatalf("deadline %v", d)
	}
	if sentAt, _ := w.Acknowledge(1); !sentAt.Equal(start) {
		t.Fatalf("sent at %v", sentAt)
	}
	if d, _ := w.Deadline(); !d.Equal(start.Add(1300 * time.Millisecond)) {
		t.Fatalf("deadline %v", d)
	}
	w.Acknowledge(2)
	if _, awaited := w.Deadline(); awaited {
		t.Fatal("nothing is awaited")
	}
}

func TestWhatWasAcknowledgedAboveTheFloorIsNotPublishedAgain(t *testing.T) {
	w := window.New(5, second, 0)
	for n := uint64(1); n <= 4; n++ {
		w.Add(n)
	}
	w.Acknowledge(2)
	w.Acknowledge(4)
	w.Restart()
	if w.Floor() != 0 || w.Free() != 5 {
		t.Fatalf("floor %d, free %d", w.Floor(), w.Free())
	}
	want := map[uint64]bool{1: true, 2: false, 3: true, 4: false, 5: true}
	for n := uint64(1); n <= 5; n++ {
		if got := w.Add(n); got != want[n] {
			t.Errorf("publish frame %d again: %v, want %v", n, got, want[n])
		}
	}
	w.Acknowledge(1)
	w.Acknowledge(3)
	if w.Floor() != 4 {
		t.Errorf("floor %d, want 4", w.Floor())
	}
}

func TestBreakingTheOrderPanics(t *testing.T) {
	for name, misuse := range map[string]func(*window.Window){
		"descending": func(w *window.Window) { w.Add(5); w.Add(4) },
		"repeated":   func(w *window.Window) { w.Add(5); w.Add(5) },
		"full":       func(w *window.Window) { w.Add(5); w.Add(6); w.Add(7) },
		"below":      func(w *window.Window) { w.Add(3) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("did not panic")
				}
			}()
			misuse(window.New(2, second, 3))
		})
	}
}
