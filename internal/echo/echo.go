// Package echo tells when the Network Server's own messages keep coming back on topic_down: a bridge at the broker, or
// another client, copies there what is published on topic_up. One such message is somebody's slip; several within a
// minute are an echo.
//
// It is pure: it is told the time and has no clock.
package echo

import "time"

const (
	// Window is the time over which a rate is taken, and after which a [Watch] wants to be looked at.
	Window = 5 * time.Second
	// Quiet is how long none may come before an echo is over. Fewer than Least within as long are none.
	Quiet = time.Minute
	// Least is how many it takes: to be an echo within Quiet, to be a rise within Window.
	Least = 3
	// Rise is how many times the rate last reported is worth a report again.
	Rise = 2
)

// Kind is what a [Finding] is about.
type Kind int

// The kinds of finding.
const (
	Nothing Kind = iota // nothing new
	Begun               // the messages have become an echo
	Risen               // it has at least doubled since the last finding
	Over                // none has come for as long as Quiet
)

// Finding is what a look at a [Watch] brought.
type Finding struct {
	Kind      Kind
	PerSecond float64 // of Begun and Risen: the rate now; of Over: the highest that was found
	Topic     string  // on which the last one came
	Messages  int     // since the first
	Lasted    time.Duration
}

// Watch counts the messages of one connection. The zero value has seen none. It is not safe for concurrent use.
type Watch struct {
	topic       string
	first, last time.Time // of the messages counted
	total       int

	opened  time.Time // the window's begin; zero while nothing is watched
	count   int       // in the window
	highest float64   // rate found so far; 0 before it is an echo
}

// Note counts a message and the topic that it came on. It reports true when nothing was watched before: Look is
// wanted after a Window then.
func (w *Watch) Note(at time.Time, topic string) (look bool) {
	if look = w.opened.IsZero(); look {
		*w = Watch{first: at, opened: at}
	}
	w.topic, w.last = topic, at
	w.total++
	w.count++
	return look
}

// Look ends the window and tells what is new. It reports true while Look is wanted again after another Window. A
// window that ends late is as long as it was.
func (w *Watch) Look(at time.Time) (found Finding, again bool) {
	if w.opened.IsZero() {
		return Finding{}, false
	}
	rate := 0.0 // of too few there is none
	if w.count >= Least {
		rate = perSecond(w.count, at.Sub(w.opened))
	}
	switch {
	case w.highest == 0 && w.total >= Least:
		found = w.found(Begun, max(rate, perSecond(w.total, at.Sub(w.first))))
	case w.highest == 0 && at.Sub(w.first) >= Quiet:
		*w = Watch{} // too few
		return Finding{}, false
	case w.highest > 0 && at.Sub(w.last) >= Quiet:
		found = w.found(Over, w.highest)
		*w = Watch{}
		return found, false
	case w.highest > 0 && rate >= Rise*w.highest:
		found = w.found(Risen, rate)
	}
	w.highest = max(w.highest, found.PerSecond)
	w.opened, w.count = at, 0
	return found, true
}

func (w *Watch) found(kind Kind, rate float64) Finding {
	return Finding{Kind: kind, PerSecond: rate, Topic: w.topic, Messages: w.total, Lasted: w.last.Sub(w.first)}
}

// perSecond is a rate, of no shorter a time than a second: of less it would say nothing.
func perSecond(n int, over time.Duration) float64 {
	return float64(n) / max(over, time.Second).Seconds()
}
