package actors

import (
	"context"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// Who owes something is looked at until it owes nothing, its life is over, or other books have taken the place of its own.
func TestWatch(t *testing.T) {
	store, err := buffer.Open(t.Context(), testkit.StartNATS(t).JetStream, buffer.Config{Replicas: 1})
	if err != nil {
		t.Fatal(err)
	}
	const owed = 5
	for name, end := range map[string]func(w *watched, cancel func()){
		"nothing is owed": func(w *watched, _ func()) {
			w.books.floor.store(buffer.Cursor{Position: buffer.Position{Number: owed}})
		},
		"its life is over":         func(_ *watched, cancel func()) { cancel() },
		"there are books after it": func(w *watched, _ func()) { w.forget() },
	} {
		t.Run(name, func(t *testing.T) {
			log, err := store.OpenLog(t.Context(), "acme", owed) // as if frames up to there had been stored
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			all, counters := newWatch(), &telemetry.Counters{}
			w := all.see(&incarnation{ctx: ctx}, &books{frames: log}, counters)
			for range 3 {
				if all.look(); len(all.stirred) != 1 || counters.LagFrames.Load() != owed {
					t.Fatalf("%d frames are owed, %d looked at", counters.LagFrames.Load(), len(all.stirred))
				}
			}
			if end(w, cancel); name != "nothing is owed" {
				counters.LagFrames.Store(-1) // which it may not touch any more
			}
			if all.look(); len(all.stirred) != 0 {
				t.Error("it is still looked at")
			}
			if got := counters.LagFrames.Load(); got > 0 {
				t.Errorf("%d frames are owed", got)
			}
			if w.stir(); len(all.stirred) != 1 {
				t.Error("it cannot be stirred again")
			}
			if all.look(); len(all.stirred) != 0 {
				t.Error("it is looked at for ever")
			}
		})
	}
}
