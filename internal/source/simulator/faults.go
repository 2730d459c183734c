package simulator

import (
	"cmp"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// Drop is how a connection ends.
type Drop int

// The ways in which a connection ends.
const (
	Reset      Drop = iota // TCP RST, at once: what the client has not read yet is lost to it
	Hangup                 // TCP FIN without a close frame, as when a process dies
	CloseFrame             // a close frame with code 1001 (RFC 6455 §7.4.1), then FIN
)

func (d Drop) String() string { return nameOf(int(d), "reset", "hangup", "close frame") }

// Refusal is how a connect is turned away.
type Refusal int

// The ways in which a connect is turned away.
const (
	Accept       Refusal = iota // it is not
	Unavailable                 // HTTP 503
	Unauthorized                // HTTP 401, whatever the token
	NotListening                // TCP: connection refused; only after Start or Serve
)

func (r Refusal) String() string {
	return nameOf(int(r), "accept", "unavailable", "unauthorized", "not listening")
}

func nameOf(i int, names ...string) string {
	if i < 0 || i >= len(names) {
		return "unknown"
	}
	return names[i]
}

// refusal is what connects get at present. The NS's lock guards it.
type refusal struct {
	how   Refusal
	until time.Time // zero: until told otherwise
	r     *rand.Rand
}

// refusing returns the status that turns a connect away, or 0.
func (n *NS) refusing() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := &n.refusal
	if !r.until.IsZero() && !time.Now().Before(r.until) {
		r.how, r.until = Accept, time.Time{}
	}
	switch {
	case r.how == Unauthorized:
		return http.StatusUnauthorized
	case r.how == Unavailable, n.cfg.Faults.Refuse > 0 && r.r.Float64() < n.cfg.Faults.Refuse:
		return http.StatusServiceUnavailable
	}
	return 0
}

// Refuse turns connects away for the duration, or until told otherwise when it is 0. Open streams go on, and so does
// what happens to the devices. NotListening gives up the listening socket; the error of Refuse is that of listening
// again at the same address, or of asking for NotListening where there is no socket of ours.
func (n *NS) Refuse(how Refusal, d time.Duration) error {
	n.log.Info().Stringer("how", how).Dur("for", d).Msg("fault: connects refused")
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refusal.how, n.refusal.until = how, time.Time{}
	if d > 0 {
		n.refusal.until = time.Now().Add(d)
	}
	if how == NotListening {
		return n.unlisten(d)
	}
	return n.relisten()
}

// Drop ends the streams with the ids, or all of them when none is named, and returns how many.
func (n *NS) Drop(how Drop, ids ...uint64) int {
	streams := n.chosen(ids)
	n.log.Info().Int("streams", len(streams)).Stringer("how", how).Msg("fault: connections dropped")
	for _, s := range streams {
		s.leave(departure{how, closeGoingAway, "dropped on request"})
	}
	return len(streams)
}

// Stall makes the streams fall silent, PONGs included, while TCP stays up: for the duration, or until [NS.Resume]
// when it is 0. What was written before may still arrive. Downlinks are still received.
func (n *NS) Stall(d time.Duration, ids ...uint64) int {
	streams := n.chosen(ids)
	n.log.Info().Int("streams", len(streams)).Dur("for", d).Msg("fault: streams stalled")
	until := time.Time{}
	if d > 0 {
		until = time.Now().Add(d)
	}
	for _, s := range streams {
		s.stall(until)
	}
	return len(streams)
}

// Resume ends a stall: everything that waited is sent.
func (n *NS) Resume(ids ...uint64) int {
	streams := n.chosen(ids)
	for _, s := range streams {
		s.mu.Lock()
		s.stalled = false
		s.mu.Unlock()
		s.nudge()
	}
	return len(streams)
}

// Inject sends the bytes as one text frame on the streams, in line with the messages: garbage, JSON without a type,
// 10 MB, whatever the test wants.
func (n *NS) Inject(frame []byte, ids ...uint64) int {
	streams := n.chosen(ids)
	n.log.Info().Int("streams", len(streams)).Int("bytes", len(frame)).Msg("fault: raw frame injected")
	for _, s := range streams {
		s.offer([]item{{raw: slices.Clone(frame)}})
	}
	return len(streams)
}

// Disorder lets every second one of the next frames of each stream, the first to begin with, be overtaken by up to
// Faults.Window of those after it. A frame that nothing overtakes within 500 ms is sent anyway.
func (n *NS) Disorder(frames int, ids ...uint64) int {
	streams := n.chosen(ids)
	n.log.Info().Int("streams", len(streams)).Int("frames", frames).Msg("fault: frames sent out of order")
	for _, s := range streams {
		s.disorder.Store(int64(frames))
	}
	return len(streams)
}

// Repeat sends each of the next frames of each stream twice.
func (n *NS) Repeat(frames int, ids ...uint64) int {
	streams := n.chosen(ids)
	n.log.Info().Int("streams", len(streams)).Int("frames", frames).Msg("fault: frames sent twice")
	for _, s := range streams {
		s.repeat.Store(int64(frames))
	}
	return len(streams)
}

// chosen are the open streams with the ids, or all, in the order of their connects.
func (n *NS) chosen(ids []uint64) []*stream {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []*stream
	for id, s := range n.streams {
		if len(ids) == 0 || slices.Contains(ids, id) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *stream) int { return cmp.Compare(a.id, b.id) })
	return out
}

func (s *stream) stall(until time.Time) {
	s.mu.Lock()
	s.stalled, s.stallEnd = true, until
	s.mu.Unlock()
	s.nudge()
}

// misfortune reports a fault that chance brought.
func (s *stream) misfortune(what string) {
	s.ns.log.Info().Uint64("stream", s.id).Str("what", what).Msg("fault by chance")
}

// garbage is a text frame that is no Data API message: broken JSON, JSON of the wrong shape, or no text at all.
func garbage(r *rand.Rand) []byte {
	switch r.IntN(4) {
	case 0:
		return []byte(`{"type":"uplink","meta":{"device":"` + hex(r.Uint64(), 16) + `"`)
	case 1:
		return []byte(`{"meta":{"time":` + hex(r.Uint64(), 4) + `}}`)
	case 2:
		return []byte(`[` + quote(hex(r.Uint64(), 16)) + `]`)
	default:
		return someBytes(r, 1+r.IntN(64))
	}
}
