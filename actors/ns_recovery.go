package actors

import (
	"time"

	"github.com/lorry-mqtt/lorry/internal/buffer"
)

// For how long the Network Server keeps messages: uplink and downlink in its Data API and in its REST history, and
// every other type, which the REST history has not.
const (
	keptLong    = 48 * time.Hour
	keptShort   = time.Hour
	keptHistory = 30 * 24 * time.Hour
)

// clockSkew is how far the Network Server's clock may be from ours. What it still has depends on its clock, and the
// time since which something is missing is its own; but how long ago that is only our clock can tell. So both sides
// of each limit are asked for, which costs repeats that are dropped, and a gap is reported from where it can begin.
const clockSkew = 2 * time.Minute

// Why something cannot be fetched, and what it is.
const (
	gapTypeNotKept = "type_not_kept"  // the Data API keeps the type for an hour, the REST history not at all
	gapNoHistory   = "no_history_url" // longer ago than the Data API's 48 hours, and no REST history is configured
	gapTooOld      = "older_than_history"
	gapEvicted     = "evicted" // by the buffer's limits; fetched again, and then closed

	longTypes  = "uplink, downlink"
	shortTypes = "all but uplink and downlink"
	allTypes   = "all"
)

// recovery says how to come by what is owed.
type recovery struct {
	from, to time.Time // what to read from the REST history; from is zero if nothing
	gaps     []buffer.Gap
}

// recover tells, at a time by our clock, what of the messages owed since another the Data API has no longer.
func recoverSince(owed, now time.Time, history bool) recovery {
	var r recovery
	lost := func(kept time.Duration, types, reason string) bool {
		until := now.Add(clockSkew - kept)
		if !owed.Before(until) {
			return false
		}
		if reason != "" {
			r.gaps = append(r.gaps, buffer.Gap{Since: owed, Until: until, Types: types, Reason: reason})
		}
		return true
	}
	lost(keptShort, shortTypes, gapTypeNotKept)
	switch {
	case !history:
		lost(keptLong, longTypes, gapNoHistory)
	case lost(keptLong, longTypes, ""):
		r.from, r.to = owed, now.Add(clockSkew-keptLong)
		if lost(keptHistory, longTypes, gapTooOld) {
			r.from = now.Add(-clockSkew - keptHistory)
		}
	}
	return r
}
