package telemetry_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

func BenchmarkObserve(b *testing.B) {
	var h telemetry.Histogram
	for b.Loop() {
		h.Observe(3 * time.Millisecond)
	}
}

func BenchmarkScrape10000Connections(b *testing.B) {
	m := telemetry.NewMetrics("v", "c")
	for i := range 10_000 {
		c := m.Connection(fmt.Sprintf("connection-%d", i))
		c.State.Set(telemetry.Connected)
		c.AckLatency.Observe(time.Millisecond)
	}
	handler := m.Handler()
	size := 0
	for b.Loop() {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		size = answer.Body.Len()
	}
	b.ReportMetric(float64(size), "bytes")
}
