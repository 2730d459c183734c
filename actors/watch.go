package actors

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

// watch looks once a tick, from one goroutine, at every connection of a node of which something has changed that nobody
// else tells of. An idle connection is not looked at: ten thousand that each looked at themselves took a tenth of a core.
type watch struct {
	mu      sync.Mutex
	stirred map[*watched]struct{}
}

// watched is one life of a connection with its books open.
type watched struct {
	watch    *watch
	life     *incarnation // of the connection
	books    *books
	counters *telemetry.Counters
	stirred  atomic.Bool // it is among watch.stirred, or about to be
	over     atomic.Bool // other books have taken the place of these

	discarded uint64 // messages, in all, when it was looked at last; for who holds watch.mu
}

func newWatch() *watch { return &watch{stirred: map[*watched]struct{}{}} }

// see returns what has a connection be looked at. It is stirred once to begin with.
func (w *watch) see(life *incarnation, b *books, counters *telemetry.Counters) *watched {
	seen := &watched{watch: w, life: life, books: b, counters: counters, discarded: discarded(counters)}
	seen.stir()
	return seen
}

// stir has the connection be looked at, until nothing is owed and nothing new was discarded.
func (w *watched) stir() {
	if w.stirred.Load() || w.stirred.Swap(true) {
		return
	}
	w.watch.mu.Lock()
	defer w.watch.mu.Unlock()
	w.watch.stirred[w] = struct{}{}
}

// forget ends that, because other books are looked at from now on.
func (w *watched) forget() { w.over.Store(true) }

// run looks until ctx ends.
func (w *watch) run(ctx context.Context) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.look()
		}
	}
}

func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for seen := range w.stirred {
		// Who stirs it from here on finds it asleep and waits for the lock.
		seen.stirred.Store(false)
		if seen.life.ctx.Err() == nil && !seen.over.Load() && seen.look() {
			seen.stirred.Store(true)
		} else {
			delete(w.stirred, seen)
		}
	}
}

// look keeps the gauges current that nobody's event moves, and tells the connection that messages were discarded: what
// happens per frame is counted, and told once a tick. It reports whether to look again.
func (w *watched) look() (again bool) {
	behind := w.measureLag()
	now := discarded(w.counters)
	more := now != w.discarded
	if more {
		w.discarded = now
		w.life.tell(messagesDiscarded{})
	}
	return behind || more
}

// measureLag refreshes the gauges of what is not known to be acknowledged, and reports whether there is any.
func (w *watched) measureLag() (behind bool) {
	last := w.books.frames.Last()
	frames := last - min(w.books.floor.load().Number, last)
	w.counters.LagFrames.Store(int64(frames))
	age := time.Duration(0)
	if frames > 0 {
		age = w.books.behind.age()
	}
	w.counters.Lag.Set(age)
	return frames > 0
}

// discarded is how many messages were, at both ends.
func discarded(c *telemetry.Counters) uint64 {
	return c.FramesDiscarded.Total() + c.DownlinksDiscarded.Total()
}
