package actors

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/messages"
)

// maxGaps is how many gaps a connection remembers.
const maxGaps = 16

// recordKeeper writes a connection's source record, one write at a time.
type recordKeeper struct {
	mu       sync.Mutex
	revision uint64
	heard    float64 // as it was last written
}

// save writes the record. One that somebody else has written since belongs to another owner, who writes on.
func (m *missed) save(ctx context.Context, store *buffer.Store, id string) error {
	m.keeper.mu.Lock()
	defer m.keeper.mu.Unlock()
	m.mu.Lock()
	record := m.record
	record.Gaps = slices.Clone(record.Gaps)
	m.mu.Unlock()
	next, err := store.SaveSource(ctx, id, record, m.keeper.revision)
	if errors.Is(err, buffer.ErrStale) {
		next, err = m.retry(ctx, store, id, record)
	}
	if err != nil {
		return err
	}
	m.keeper.revision, m.keeper.heard = next, record.Heard
	return nil
}

// retry writes once more after a write of our own whose answer was lost. The buffer and the cursor fence owners off.
func (m *missed) retry(ctx context.Context, store *buffer.Store, id string, record buffer.Source) (uint64, error) {
	_, revision, err := store.LoadSource(ctx, id)
	if err != nil {
		return 0, err
	}
	return store.SaveSource(ctx, id, record, revision)
}

// unsaved is how much longer a source has been heard than its record says.
func (m *missed) unsaved() time.Duration {
	m.keeper.mu.Lock()
	saved := m.keeper.heard
	m.keeper.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.record.Heard == 0 {
		return 0
	}
	return unixTime(m.record.Heard).Sub(unixTime(saved))
}

// gap notes gaps, and returns what has changed by it; nil if nothing has. One that goes on from a known one for the
// same reason is that one, grown: it was reported, by this process or by the one before.
func (m *missed) gap(gaps ...buffer.Gap) *messages.GapsChanged {
	m.mu.Lock()
	defer m.mu.Unlock()
	changed := messages.GapsChanged{Seconds: map[string]uint64{}}
	for _, g := range gaps {
		grown := g.Until.Sub(g.Since)
		if i := slices.IndexFunc(m.record.Gaps, func(known buffer.Gap) bool { return continues(known, g) }); i >= 0 {
			known := &m.record.Gaps[i]
			grown = max(0, g.Until.Sub(known.Until))
			known.Until = known.Until.Add(grown)
		} else {
			m.record.Gaps = append(m.record.Gaps, g)
			changed.Found = append(changed.Found, g)
		}
		changed.Seconds[g.Reason] += uint64(grown.Round(time.Second) / time.Second)
	}
	m.record.Gaps = m.record.Gaps[max(0, len(m.record.Gaps)-maxGaps):]
	return m.changed(&changed)
}

// continues reports whether a gap is the known one, as it is now.
func continues(known, g buffer.Gap) bool {
	return known.Reason == g.Reason && known.ClosedAt == nil && !g.Since.After(known.Until) && !g.Until.Before(known.Since)
}

// closeGaps notes that all that was missing for a reason has been fetched.
func (m *missed) closeGaps(reason string, now time.Time) *messages.GapsChanged {
	m.mu.Lock()
	defer m.mu.Unlock()
	closed := false
	for i := range m.record.Gaps {
		if g := &m.record.Gaps[i]; g.Reason == reason && g.ClosedAt == nil {
			g.ClosedAt, closed = &now, true
		}
	}
	if !closed {
		return nil
	}
	return m.changed(&messages.GapsChanged{})
}

// changed completes a report. The caller holds mu.
func (m *missed) changed(c *messages.GapsChanged) *messages.GapsChanged {
	total := uint64(0)
	for _, s := range c.Seconds {
		total += s
	}
	if c.Seconds != nil && total == 0 && len(c.Found) == 0 {
		return nil
	}
	c.All = slices.Clone(m.record.Gaps)
	return c
}
