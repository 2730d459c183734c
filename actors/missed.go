package actors

import (
	"math"
	"sync"
	"time"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/source"
)

// hearsay is how much earlier than it was noted as heard something may have been sent and not come: a session may
// have been dead for the time of silence that it is allowed, and the Network Server's clock is not ours.
const hearsay = source.DefaultSilence + clockSkew

// missed knows from when on the Network Server has to be asked for its history, in Unix seconds of the Network
// Server's clock. It is kept outside the ns-reader, so that the next one asks for the same should this one fail.
// What is in its record survives the process, too (missed_record.go).
type missed struct {
	mu       sync.Mutex
	margin   time.Duration // source.replay_margin
	cursor   float64       // the cursor's time when the connection was opened; of a new connection it is our own
	begins   bool          // the connection is new and has had no session yet
	unsynced time.Duration // how far back what was stored before this process may not have reached the disk
	reached  float64       // up to when the REST history has been read for the replay under way; 0: not at all
	// known are the frames that the replay under way has met, or that were stored when it began; the first of those
	// has the number knownFrom. It outlives sessions, since the buffer may no longer hold all that it knows.
	known     *source.Repeats
	knownFrom uint64
	refetch   bool          // frames were evicted since the last session began: its replay is not the last
	record    buffer.Source // Replay and Owed in it are those of the replay under way
	keeper    recordKeeper
}

// begin notes what was known when the process before this one ended: the cursor's time, whether the connection is
// new, the replay that was not through when the last frame was stored, and the record.
func (m *missed) begin(cursor float64, begins bool, replay float64, record buffer.Source, revision uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cursor, m.begins, m.record, m.keeper.revision = cursor, begins, record, revision
	recorded := record.Replay != 0
	if m.record.Replay = lowest(record.Replay, replay); m.record.Replay != 0 && !recorded {
		m.record.Owed = m.owed(m.record.Replay)
	}
}

// since is from when on history is to be asked for in a session that begins now, if the highest meta.time stored
// is the given one; 0 if nothing can have been missed.
//
// A replay that was cut short is asked for again from where it began: what was live meanwhile is newer than what
// is missing. Where nothing is stored, because nothing has come yet or the buffer's limits have removed it, the
// cursor has to do. What a crash may have kept from the disk was received before it, and so long before the highest
// that is there.
func (m *missed) since(highest float64) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if highest == 0 {
		highest = m.cursor
	}
	r := &m.record
	if r.Replay == 0 && highest != 0 && !m.begins {
		r.Replay = highest - m.margin.Seconds()
		r.Owed = m.owed(r.Replay)
	}
	if r.Replay != 0 {
		r.Replay -= m.unsynced.Seconds()
		r.Owed -= m.unsynced.Seconds()
		m.unsynced = 0
	}
	m.begins, m.refetch = false, false
	return r.Replay
}

// ask notes by how much more than what was missed is to be asked for.
func (m *missed) ask(margin time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.margin = margin
}

// owed is from when on something may really be missing, if history is asked for from a time on. A connection whose
// devices are silent for a week asks for that week after each reconnect, since meta.time is all that it has; but it
// has missed no more than what was sent since it last listened.
func (m *missed) owed(replay float64) float64 {
	return max(replay, m.record.Heard-hearsay.Seconds())
}

// owes is since when something is owed; 0: nothing is.
func (m *missed) owes() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.record.Owed
}

// evicted notes that the buffer's limits removed frames behind a floor, the last one delivered with all before it. In
// the order of arrival what is behind it is newer, but for what a replay brought. The last of them has the number last.
func (m *missed) evicted(floor buffer.Cursor, last uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if last >= m.knownFrom {
		m.known = nil // what is gone is not known
	}
	r := &m.record
	since := floor.Time
	if since == 0 {
		since = m.cursor
	}
	since -= m.margin.Seconds()
	if r.Replayed.Last > floor.Number {
		since = min(since, r.Replayed.From)
	}
	if r.Replay == 0 {
		r.Owed = since
	}
	r.Replay, r.Owed = lowest(r.Replay, since), lowest(r.Owed, since)
	m.refetch, m.reached = true, 0
}

// unfetched is from when on the REST history is to be read, if it is needed from a time on: not what it was read for
// in a session before.
func (m *missed) unfetched(from time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if reached := unixTime(m.reached); !from.IsZero() && m.reached != 0 && reached.After(from) {
		return reached
	}
	return from
}

// reach notes up to when the REST history has been read.
func (m *missed) reach(at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reached = max(m.reached, unixSeconds(at))
}

// unasked reports whether more was evicted than the last session asked for.
func (m *missed) unasked() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refetch
}

// delivered notes how far the floor is.
func (m *missed) delivered(number uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := &m.record.Replayed; r.Last <= number {
		r.From, r.Last = 0, 0
	}
}

// through notes that the replay has ended, with the last frame stored, and reports whether it has: not if more was
// evicted since it began.
func (m *missed) through(last uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refetch {
		return false
	}
	r := &m.record
	r.Replayed.From, r.Replayed.Last = lowest(r.Replayed.From, r.Replay), last
	r.Replay, r.Owed, m.reached, m.known = 0, 0, 0, nil
	return true
}

// recall returns what the replay under way has met in sessions before; nothing yet if it begins.
func (m *missed) recall() *source.Repeats {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known, m.knownFrom = source.NewRepeats(source.MaxRepeats), math.MaxUint64
	}
	return m.known
}

// forget has the next session learn anew what is stored.
func (m *missed) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known = nil
}

// recalled notes the number of the first frame that a set which recall returned knows from the buffer.
func (m *missed) recalled(first uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.knownFrom = min(m.knownFrom, first)
}

// hear notes that all that was sent until now, by our clock, is stored.
func (m *missed) hear(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.record.Replay == 0 {
		m.record.Heard = unixSeconds(now)
	}
}

// lowest is the lower of two times, of which 0 is none.
func lowest(a, b float64) float64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

func unixTime(seconds float64) time.Time { return time.UnixMicro(int64(seconds * 1e6)) }
