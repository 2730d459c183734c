package telemetry

import (
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// series reads one field of a struct of counters for Prometheus.
type series struct {
	field int
	desc  *prometheus.Desc
	kind  prometheus.ValueType // of a number
}

// seriesOf returns one for each field of the struct type that a `metric` tag names: its own labels are those given
// and, where the field has several values, that of its `label` tag.
func seriesOf(t reflect.Type, prefix string, labels ...string) []series {
	var all []series
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		name, ok := tag.Lookup("metric")
		if !ok {
			continue
		}
		own := slices.Clone(labels)
		if label := tag.Get("label"); label != "" {
			own = append(own, label)
		}
		s := series{i, prometheus.NewDesc(prefix+name, tag.Get("help"), own, nil), prometheus.GaugeValue}
		switch t.Field(i).Type {
		case reflect.TypeFor[atomic.Uint64](), reflect.TypeFor[Labelled]():
			s.kind = prometheus.CounterValue
		}
		all = append(all, s)
	}
	return all
}

// measures tells that the series is no count: of several connections' there is no sum that says anything.
func (s series) measures() bool { return s.kind != prometheus.CounterValue }

// collect sends what the series' field of counters, a pointer to the struct, has now. A labelled counter has a series
// for each label counted so far; a histogram appears with its first observation, because thousands of connections
// would each have a dozen empty buckets.
func (s series) collect(ch chan<- prometheus.Metric, counters reflect.Value, labels ...string) {
	send := func(m prometheus.Metric, err error) {
		if err != nil {
			m = prometheus.NewInvalidMetric(s.desc, err)
		}
		ch <- m
	}
	number := func(v float64, own ...string) {
		send(prometheus.NewConstMetric(s.desc, s.kind, v, append(slices.Clone(labels), own...)...))
	}
	switch field := counters.Elem().Field(s.field).Addr().Interface().(type) {
	case *atomic.Uint64:
		number(float64(field.Load()))
	case *atomic.Int64:
		number(float64(field.Load()))
	case *Seconds:
		number(field.Load().Seconds())
	case *Labelled:
		for label, n := range field.All {
			number(float64(n), label)
		}
	case *StateGauge:
		current := field.Load()
		for _, state := range states {
			value := 0.0
			if state == current {
				value = 1
			}
			number(value, string(state))
		}
	case *Histogram:
		if upTo, count, sum := field.cumulative(); count > 0 {
			send(prometheus.NewConstHistogram(s.desc, count, sum, upTo, labels...))
		}
	default:
		panic(fmt.Sprintf("telemetry: field %d of %s has a type that is not exposed", s.field, counters.Type()))
	}
}
