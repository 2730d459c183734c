package actors

import (
	"context"
	"slices"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// fakeHistory is the REST history of a fakeNS.
type fakeHistory struct {
	fault  error          // what reading it ends with
	before int            // so many frames come before the fault
	asked  [][2]time.Time // the stretches asked for
}

// readHistory plays source.ReadHistory.
func (n *fakeNS) readHistory(ctx context.Context, from, to time.Time, each func([]dataapi.Frame) error) error {
	n.mu.Lock()
	n.rest.asked = append(n.rest.asked, [2]time.Time{from, to})
	fault, left := n.rest.fault, n.rest.before
	var frames []dataapi.Frame
	for _, f := range n.history {
		age := time.Since(f.at)
		if f.at.Before(from.Truncate(time.Second)) || !f.at.Before(to.Add(time.Second)) || age < 30*time.Second || age > keptHistory {
			continue
		}
		frame := frameOf(f.raw)
		frame.Envelope.Meta.History = true
		frames = append(frames, frame)
	}
	n.mu.Unlock()
	if fault != nil {
		frames = frames[:min(left, len(frames))]
	}
	for batch := range slices.Chunk(frames, 50) {
		if err := each(slices.Clone(batch)); err != nil {
			return err
		}
	}
	if fault != nil {
		return fault
	}
	return ctx.Err()
}

// askedHistory is which stretches of the REST history were asked for.
func (n *fakeNS) askedHistory() [][2]time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.rest.asked)
}
