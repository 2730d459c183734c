package actors

import (
	"maps"

	"github.com/lorry-mqtt/lorry/internal/eventlog"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

// Events is told what happens to connections. It must not block.
type Events interface {
	Add(connection string, e eventlog.Event)
}

// noEvents is for those who do not care.
type noEvents struct{}

func (noEvents) Add(string, eventlog.Event) {}

// event tells what happened to the connection; err may be nil.
func (s *state) event(level eventlog.Level, kind eventlog.Kind, message string, err error, more ...func(*eventlog.Event)) {
	e := eventlog.Event{Level: level, Kind: kind, Message: message}
	if err != nil {
		e.Error = err.Error()
	}
	for _, add := range more {
		add(&e)
	}
	s.events.Add(s.current.ID, e)
}

func inState(state string) func(*eventlog.Event) {
	return func(e *eventlog.Event) { e.State = state }
}

func counted(n uint64, reason string) func(*eventlog.Event) {
	return func(e *eventlog.Event) { e.Count, e.Reason = n, reason }
}

// discards is what was discarded when that was last told.
type discards struct {
	frames, downlinks map[string]uint64 // by reason
}

func newDiscards(c *telemetry.Counters) discards {
	return discards{frames: totals(&c.FramesDiscarded), downlinks: totals(&c.DownlinksDiscarded)}
}

func totals(l *telemetry.Labelled) map[string]uint64 {
	all := map[string]uint64{}
	maps.Insert(all, l.All)
	return all
}

// tellDiscards tells what was discarded since it was called last.
func (s *state) tellDiscards() {
	now := newDiscards(s.counters)
	for reason, n := range now.frames {
		if more := n - s.discarded.frames[reason]; more > 0 {
			s.event(eventlog.Warn, eventlog.FramesDiscarded, "messages of the Network Server are no frames", nil, counted(more, reason))
		}
	}
	for reason, n := range now.downlinks {
		if more := n - s.discarded.downlinks[reason]; more > 0 {
			s.event(eventlog.Warn, eventlog.DownlinksDropped, "downlinks were not forwarded", nil, counted(more, reason))
		}
	}
	s.discarded = now
}
