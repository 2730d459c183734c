package telemetry_test

import (
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

func TestLabelledCountsFromManyGoroutines(t *testing.T) {
	var l telemetry.Labelled
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 1000 {
				l.Add(fmt.Sprintf("r%d", (g+i)%10), 1)
			}
		})
	}
	wg.Wait()
	if l.Total() != 8000 {
		t.Errorf("Total() = %d, want 8000", l.Total())
	}
	for i := range 10 {
		if label := fmt.Sprintf("r%d", i); l.Load(label) != 800 {
			t.Errorf("%s = %d, want 800", label, l.Load(label))
		}
	}
}

func TestLabelledIsBounded(t *testing.T) {
	var l telemetry.Labelled
	for i := range 1000 {
		l.Add(fmt.Sprintf("r%d", i), 1)
		l.Add("r0", 1)
	}
	values := maps.Collect(l.All)
	if len(values) != 33 || values[telemetry.Other] != 1000-32 || values["r0"] != 1001 || l.Total() != 2000 {
		t.Errorf("%d labels, %d other, %d of the first, %d in all", len(values), values[telemetry.Other], values["r0"], l.Total())
	}
}

func TestLabelledTakesAnyText(t *testing.T) {
	m := telemetry.NewMetrics("v", "c")
	m.Connection("a").FramesDiscarded.Add("\xff", 1)
	m.Connection("a").FramesDiscarded.Add("\xff", 1)
	if got := scrape(t, m).sum("lorry_connection_frames_discarded_total", of("a", "reason", "?")); got != 2 {
		t.Errorf("= %v, want 2", got)
	}
	if (&telemetry.Labelled{}).Load("never") != 0 {
		t.Error("what was never counted is not 0")
	}
}

func TestScrapesWhileCounting(t *testing.T) {
	m := telemetry.NewMetrics("v", "c")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 500 {
				c := m.Connection("a")
				c.Received.Add(1)
				c.AckLatency.Observe(1)
				c.FramesDiscarded.Add(fmt.Sprint(i%5), 1)
				c.State.Set(telemetry.Connected)
				m.Connection(fmt.Sprint(i % 20)).Stored.Add(1)
				m.Remove(fmt.Sprint(i % 20))
			}
		})
	}
	for range 5 {
		scrape(t, m)
	}
	wg.Wait()
	e := scrape(t, m)
	if got := e.sum("lorry_connection_received_total", of("a")); got != 2000 {
		t.Errorf("received = %v, want 2000", got)
	}
	if got := e.sum("lorry_connection_frames_discarded_total", of("a")); got != 2000 {
		t.Errorf("discarded = %v, want 2000", got)
	}
}
