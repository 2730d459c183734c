package actors

import (
	"sync"
	"time"
)

// missed knows from when on the Network Server has to be asked for its history, in Unix seconds of the Network
// Server's clock. It is kept outside the ns-reader, so that the next one asks for the same should this one fail.
type missed struct {
	mu     sync.Mutex
	cursor float64 // the cursor's time when the connection was opened; of a new connection it is our own
	begins bool    // the connection is new and has had no session yet
	replay float64 // from when on a replay was asked for that may not be through yet; 0: there is none
}

// begin notes the cursor's time, whether the connection is new, and the replay that was not through when the
// process before this one ended.
func (m *missed) begin(cursor float64, begins bool, replay float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cursor, m.begins, m.replay = cursor, begins, replay
}

// since is from when on history is to be asked for in a session that begins now, if the highest meta.time stored
// is the given one; 0 if nothing can have been missed.
//
// A replay that was cut short is asked for again from where it began: what was live meanwhile is newer than what
// is missing. Where nothing is stored, because nothing has come yet or the buffer's limits have removed it, the
// cursor has to do.
func (m *missed) since(highest float64) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if highest == 0 {
		highest = m.cursor
	}
	if m.replay == 0 && highest != 0 && !m.begins {
		m.replay = highest - replayMargin.Seconds()
	}
	m.begins = false
	return m.replay
}

// through notes that the replay has ended.
func (m *missed) through() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.replay = 0
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
