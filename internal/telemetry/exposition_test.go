package telemetry_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

// exposition is what a scrape over HTTP answers.
type exposition map[string]*dto.MetricFamily

func scrape(t *testing.T, m *telemetry.Metrics) exposition {
	t.Helper()
	server := httptest.NewServer(m.Handler())
	defer server.Close()
	response, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET /metrics: %s", response.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// labelled returns the metrics of the family that have these labels, and maybe others.
func (e exposition) labelled(family string, labels map[string]string) []*dto.Metric {
	var found []*dto.Metric
	for _, m := range e[family].GetMetric() {
		own := map[string]string{}
		for _, l := range m.GetLabel() {
			own[l.GetName()] = l.GetValue()
		}
		all := maps.Clone(own)
		maps.Copy(all, labels)
		if maps.Equal(all, own) {
			found = append(found, m)
		}
	}
	return found
}

// sum adds up the counters and gauges among them.
func (e exposition) sum(family string, labels map[string]string) float64 {
	total := 0.0
	for _, m := range e.labelled(family, labels) {
		total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return total
}

func of(connection string, more ...string) map[string]string {
	labels := map[string]string{"connection": connection}
	for i := 0; i < len(more); i += 2 {
		labels[more[i]] = more[i+1]
	}
	return labels
}
