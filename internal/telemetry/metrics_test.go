package telemetry_test

import (
	dto "github.com/prometheus/client_model/go"

	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

// fill gives every value of a struct of counters a value of its own and returns how many there are.
func fill(t *testing.T, counters any) int {
	t.Helper()
	v := reflect.ValueOf(counters).Elem()
	for i := range v.NumField() {
		n := uint64(i + 1)
		switch field := v.Field(i).Addr().Interface().(type) {
		case *atomic.Uint64:
			field.Store(n)
		case *atomic.Int64:
			field.Store(int64(n))
		case *telemetry.Labelled:
			field.Add("one", n)
			field.Add("two", 1000*n)
		case *telemetry.Seconds:
			field.Set(time.Duration(n) * time.Second)
		case *telemetry.StateGauge:
			field.Set(telemetry.Backoff)
		case *telemetry.Histogram:
			for range n {
				field.Observe(time.Millisecond)
			}
		default:
			t.Fatalf("field %s has a type that this test does not know: teach it", v.Type().Field(i).Name)
		}
	}
	return v.NumField()
}

// A counter of the status that the exposition lacks, or has otherwise, fails here without being named.
func TestEveryStatusCounterEqualsItsMetric(t *testing.T) {
	m := telemetry.NewMetrics("v", "c")
	fill(t, m.Connection("acme"))
	m.Connection("other").Received.Store(77)
	status := reflect.ValueOf(m.Connection("acme").Snapshot())
	exposed := scrape(t, m)

	for i := range status.NumField() {
		name := status.Type().Field(i).Tag.Get("json")
		want := float64(status.Field(i).Uint())
		if want == 0 {
			t.Errorf("%s: Snapshot leaves it out", name)
		}
		if got := exposed.sum("lorry_connection_"+name+"_total", of("acme")); got != want {
			t.Errorf("%s: exposed %v, in the status %v", name, got, want)
		}
	}
	if got := exposed.sum("lorry_connection_received_total", of("other")); got != 77 {
		t.Errorf("received of the other connection = %v, want 77", got)
	}
}

func TestTheStatusHasTheContractsCounters(t *testing.T) {
	got, err := json.Marshal(telemetry.Snapshot{})
	const want = `{"received":0,"duplicates":0,"stored":0,"published":0,"acknowledged":0,"redelivered":0,"parked":0,` +
		`"downlinks_received":0,"downlinks_forwarded":0,"downlinks_discarded":0}`
	if err != nil || string(got) != want {
		t.Errorf("counters = %s, %v\nwant %s", got, err, want)
	}
}

func TestEveryFieldIsExposed(t *testing.T) {
	m := telemetry.NewMetrics("v", "c")
	fields := fill(t, m.Connection("acme")) + fill(t, &m.Node)
	families := 0
	for name, family := range scrape(t, m) {
		connection, isConnection := strings.CutPrefix(name, "lorry_connection_")
		if isConnection && family.GetType() == dto.MetricType_COUNTER {
			fields++ // and a sum over all connections: lorry_node_…
			if got := scrape(t, m).sum("lorry_node_"+connection, nil); got == 0 {
				t.Errorf("%s is summed up to nothing", name)
			}
		}
		if isConnection || strings.HasPrefix(name, "lorry_node_") {
			families++
			if family.GetHelp() == "" {
				t.Errorf("%s has no help", name)
			}
		}
	}
	if want := fields + 1; families != want { // and lorry_node_connections
		t.Errorf("%d families are exposed, want %d", families, want)
	}
}

func TestLabelsAndGauges(t *testing.T) {
	m := telemetry.NewMetrics("1.2.3", "abcdef")
	c := m.Connection("acme")
	c.FramesDiscarded.Add("not_json", 2)
	c.FramesDiscarded.Add("oversize", 1)
	c.BrokerReconnects.Add("refused", 4)
	c.InFlight.Store(3)
	c.LagFrames.Store(12)
	c.Lag.Set(200 * time.Millisecond)
	c.State.Set(telemetry.Connected)
	m.Node.Restarts.Add("publisher", 5)
	m.Connection("idle")
	e := scrape(t, m)

	for _, want := range []struct {
		family string
		labels map[string]string
		value  float64
	}{
		{"lorry_connection_frames_discarded_total", of("acme", "reason", "not_json"), 2},
		{"lorry_connection_frames_discarded_total", of("acme", "reason", "oversize"), 1},
		{"lorry_connection_broker_reconnects_total", of("acme", "cause", "refused"), 4},
		{"lorry_connection_in_flight", of("acme"), 3},
		{"lorry_connection_lag_frames", of("acme"), 12},
		{"lorry_connection_lag_seconds", of("acme"), 0.2},
		{"lorry_connection_state", of("acme", "state", "connected"), 1},
		{"lorry_connection_state", of("acme"), 1}, // the sum: one state at a time
		{"lorry_connection_state", of("idle", "state", "stopped"), 1},
		{"lorry_node_actor_restarts_total", map[string]string{"actor": "publisher"}, 5},
		{"lorry_node_connections", map[string]string{"state": "connected"}, 1},
		{"lorry_node_connections", map[string]string{"state": "stopped"}, 1},
		{"lorry_node_connections", nil, 2},
		{"lorry_build_info", map[string]string{"version": "1.2.3", "commit": "abcdef", "goversion": runtime.Version()}, 1},
	} {
		if got := e.sum(want.family, want.labels); got != want.value {
			t.Errorf("%s%v = %v, want %v", want.family, want.labels, got, want.value)
		}
	}
	if n := len(e.labelled("lorry_connection_state", of("acme"))); n != 6 {
		t.Errorf("%d series of the state, want one for each of 6", n)
	}
	for _, name := range []string{"go_goroutines", "process_cpu_seconds_total"} {
		if e[name] == nil {
			t.Errorf("%s is not exposed", name)
		}
	}
}

func TestHistogram(t *testing.T) {
	m := telemetry.NewMetrics("v", "c")
	h := &m.Connection("acme").AckLatency
	for _, d := range []time.Duration{-time.Second, 0, 500 * time.Microsecond, 501 * time.Microsecond, time.Second, time.Minute} {
		h.Observe(d)
	}
	if h.Count() != 6 {
		t.Errorf("Count() = %d, want 6", h.Count())
	}
	e := scrape(t, m)
	found := e.labelled("lorry_connection_puback_seconds", of("acme"))
	if len(found) != 1 {
		t.Fatalf("%d histograms, want 1", len(found))
	}
	got := found[0].GetHistogram()
	if got.GetSampleCount() != 6 || got.GetSampleSum() != 61.001001 {
		t.Errorf("count %d, sum %v, want 6 and 61.001001", got.GetSampleCount(), got.GetSampleSum())
	}
	upTo := map[float64]uint64{}
	for _, b := range got.GetBucket() {
		upTo[b.GetUpperBound()] = b.GetCumulativeCount()
	}
	for bound, want := range map[float64]uint64{0.0005: 3, 0.001: 4, 0.5: 4, 1: 5, 5: 5} {
		if n, ok := upTo[bound]; !ok || n != want {
			t.Errorf("up to %v s: %d, want %d", bound, n, want)
		}
	}
	if e["lorry_connection_downlink_seconds"] != nil {
		t.Error("a histogram without observations is exposed")
	}
}

func TestConnectionsKeepAndLoseTheirCounters(t *testing.T) {
	m := telemetry.NewMetrics("v", "c")
	m.Connection("a").Received.Add(1)
	m.Connection("a").Received.Add(1)
	m.Connection("b").Received.Add(5)
	if got := m.Connection("a").Snapshot().Received; got != 2 {
		t.Errorf("received = %d, want 2: the same counters each time", got)
	}
	m.Remove("a")
	if e := scrape(t, m); len(e.labelled("lorry_connection_received_total", of("a"))) != 0 ||
		e.sum("lorry_connection_received_total", of("b")) != 5 {
		t.Error("Remove left the wrong series")
	}
	if got := m.Connection("a").Snapshot().Received; got != 0 {
		t.Errorf("received = %d after Remove, want 0", got)
	}
}

func TestRegister(t *testing.T) {
	m := telemetry.NewMetrics("v", "c")
	own := prometheus.NewGauge(prometheus.GaugeOpts{Name: "lorry_own", Help: "h"})
	own.Set(3)
	if err := m.Register(own); err != nil {
		t.Fatal(err)
	}
	if err := m.Register(own); err == nil {
		t.Error("registered twice")
	}
	if got := scrape(t, m).sum("lorry_own", nil); got != 3 {
		t.Errorf("lorry_own = %v, want 3", got)
	}
}

func TestNothingIsGlobal(t *testing.T) {
	telemetry.NewMetrics("v", "c").Connection("a").Received.Add(1)
	if n := len(scrape(t, telemetry.NewMetrics("v", "c")).labelled("lorry_connection_received_total", nil)); n != 0 {
		t.Errorf("another Metrics shows %d connections", n)
	}
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "lorry_") {
			t.Errorf("%s is in the default registry", f.GetName())
		}
	}
}

func TestStateGauge(t *testing.T) {
	var g telemetry.StateGauge
	if g.Load() != telemetry.Stopped {
		t.Errorf("the zero value is %s", g.Load())
	}
	all := []telemetry.State{telemetry.Connecting, telemetry.Connected, telemetry.Backoff, telemetry.Paused,
		telemetry.Misconfigured, telemetry.Stopped}
	for _, s := range all {
		g.Set(s)
		if g.Load() != s {
			t.Errorf("Set(%s), Load() = %s", s, g.Load())
		}
	}
	g.Set(telemetry.Connected)
	g.Set("nonsense")
	if g.Load() != telemetry.Stopped {
		t.Errorf("an unknown state became %s", g.Load())
	}
}

// Without series for each connection, how many there are in each state is still known.
func TestOnlyNode(t *testing.T) {
	m := telemetry.NewMetrics("test", "")
	m.OnlyNode()
	m.Connection("acme").State.Set(telemetry.Connected)
	recorder := httptest.NewRecorder()
	m.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	text := recorder.Body.String()
	if strings.Contains(text, "acme") || strings.Contains(text, "lorry_connection_") || !strings.Contains(text, `lorry_node_connections{state="connected"} 1`) {
		t.Error(text)
	}
}

// The node's totals hold what every connection has counted, and do not fall when one is deleted.
func TestNodeTotals(t *testing.T) {
	m := telemetry.NewMetrics("test", "")
	m.OnlyNode()
	for id, n := range map[string]uint64{"acme": 2, "brown": 3, "chan": 5} {
		c := m.Connection(id)
		c.Received.Add(n)
		c.InFlight.Add(int64(n))
		c.FramesEvicted.Add("age", n)
		c.BrokerReconnects.Add(id, 1)
	}
	for _, deleted := range []string{"", "brown", "acme", "chan", "chan"} {
		m.Remove(deleted)
		got := scrape(t, m)
		for want, sum := range map[float64]float64{
			10: got.sum("lorry_node_received_total", nil) + got.sum("lorry_node_acknowledged_total", nil),
			20: 2 * got.sum("lorry_node_frames_evicted_total", map[string]string{"reason": "age"}),
			3:  got.sum("lorry_node_broker_reconnects_total", nil),
		} {
			if sum != want {
				t.Errorf("after %q was deleted: a sum is %v, want %v", deleted, sum, want)
			}
		}
		if got["lorry_node_in_flight"] != nil {
			t.Error("what is measured was summed up")
		}
	}
}
