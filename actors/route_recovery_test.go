package actors

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
	"github.com/lorry-mqtt/lorry/internal/testkit"
	"github.com/lorry-mqtt/lorry/messages"
)

// After three days, what the Data API has no longer comes from the REST history, over real sockets, with the bytes
// that the messages had live.
func TestAnAbsenceOfDaysLosesNoUplink(t *testing.T) {
	var ago atomic.Int64 // by how much the Network Server's clock is behind
	ago.Store(int64(72 * time.Hour))
	r := newRoute(t, func(p *routeParts) {
		p.ns.Now = func() time.Time { return time.Now().Add(-time.Duration(ago.Load())) }
	})
	spec := r.spec("acme", func(s *connection.Spec) { s.Source.HistoryURL = r.ns.HistoryURL() })
	r.put(spec)
	r.emit(50)
	r.awaitAll()
	r.stop()
	for hours := 71; hours > 0; hours-- { // missed: two thirds before the 48 h
		ago.Store(int64(time.Duration(hours) * time.Hour))
		r.emit(20)
		if hours > 60 {
			r.order(simulator.Order{Type: dataapi.Downlink})
		}
		r.order(simulator.Order{Type: dataapi.JoinRequest}) // which is kept for an hour
	}
	ago.Store(0)
	r.start()
	r.put(spec)
	r.emit(20)
	var kept [][]byte
	for _, m := range r.ns.Messages() {
		if m.Type != dataapi.JoinRequest {
			kept = append(kept, m.Raw)
		}
	}
	r.broker.AwaitPublished(len(kept))
	d := testkit.Verify(t, kept, publishedUnder(r.broker, "lora/"))
	if d.Lost > 0 || d.Repeated > 0 || d.Foreign > 0 {
		t.Errorf("delivered %+v of %d", d, len(kept))
	}
	s := r.awaitStatus("acme", healthy)
	if !slices.Equal(reasons(s.Gaps), []string{gapTypeNotKept}) || s.Source.State != messages.SourceReplaying {
		t.Errorf("status %+v", s)
	}
}
