package telemetry

import (
	"maps"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Node is what is counted and measured of the whole node, exposed as [Counters] are, after the prefix "lorry_node_".
type Node struct {
	Restarts Labelled     `metric:"actor_restarts_total" label:"actor" help:"Actors that failed and were started again."`
	Draining atomic.Int64 `metric:"draining" help:"1 while the node is ending and waits for PUBACKs."`
}

// Metrics holds the counters of every connection and of the node, and exposes them to Prometheus, together with the
// Go runtime's and the process's. It has a registry of its own; nothing is global.
type Metrics struct {
	Node Node

	registry      *prometheus.Registry
	perConnection bool
	mu            sync.RWMutex
	counters      map[string]*Counters
	removed       Counters // what connections that were deleted have counted
}

// NewMetrics returns metrics without connections, of a program of that version and commit.
func NewMetrics(version, commit string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), perConnection: true, counters: map[string]*Counters{}}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "lorry_build_info",
		Help:        "1, with what this program was built from as labels.",
		ConstLabels: prometheus.Labels{"version": version, "commit": commit, "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(
		build,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		newCollector(m),
	)
	return m
}

// Connection returns the counters of the connection with that id, made at the first call: they outlive the
// connection's restarts.
func (m *Metrics) Connection(id string) *Counters {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.counters[id]
	if c == nil {
		c = &Counters{}
		m.counters[id] = c
	}
	return c
}

// Lookup returns the counters of the connection with that id, nil when there are none.
func (m *Metrics) Lookup(id string) *Counters {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.counters[id]
}

// Remove forgets a connection that was deleted; its series end. The node's totals keep what it counted.
func (m *Metrics) Remove(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.counters[id]; c != nil {
		m.removed.absorb(c)
	}
	delete(m.counters, id)
}

// OnlyNode has the exposition leave out the connections' own series: thousands of them may be more than Prometheus
// is to hold. Call it before the first scrape.
func (m *Metrics) OnlyNode() { m.perConnection = false }

// Register adds a collector of another package's to the exposition.
func (m *Metrics) Register(c prometheus.Collector) error { return m.registry.Register(c) }

// Handler serves the exposition, in the format that the client asks for.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		EnableOpenMetrics:   true,
		MaxRequestsInFlight: 4,
	})
}

func (m *Metrics) snapshot() map[string]*Counters {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.counters)
}

// collector reads the atomics of m when Prometheus asks.
type collector struct {
	metrics     *Metrics
	connections []series
	node        []series
	totals      []series
	byState     *prometheus.Desc
}

func newCollector(m *Metrics) *collector {
	return &collector{
		metrics:     m,
		connections: seriesOf(reflect.TypeFor[Counters](), "lorry_connection_", "connection"),
		node:        seriesOf(reflect.TypeFor[Node](), "lorry_node_"),
		totals:      slices.DeleteFunc(seriesOf(reflect.TypeFor[Counters](), "lorry_node_"), series.measures),
		byState:     prometheus.NewDesc("lorry_node_connections", "Connections on this node in each state.", []string{"state"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, s := range c.connections {
		ch <- s.desc
	}
	for _, s := range slices.Concat(c.node, c.totals) {
		ch <- s.desc
	}
	ch <- c.byState
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	inState := map[State]int{}
	for id, counters := range c.metrics.snapshot() {
		inState[counters.State.Load()]++
		if !c.metrics.perConnection {
			continue
		}
		for _, s := range c.connections {
			s.collect(ch, reflect.ValueOf(counters), id)
		}
	}
	for _, s := range c.node {
		s.collect(ch, reflect.ValueOf(&c.metrics.Node))
	}
	totals := reflect.ValueOf(c.metrics.totals())
	for _, s := range c.totals {
		s.collect(ch, totals)
	}
	for _, state := range states {
		ch <- prometheus.MustNewConstMetric(c.byState, prometheus.GaugeValue, float64(inState[state]), string(state))
	}
}
