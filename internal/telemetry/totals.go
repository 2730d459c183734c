package telemetry

import (
	"reflect"
	"sync/atomic"
)

// absorb adds what another connection has counted; what it measures, which is no count, it leaves.
func (c *Counters) absorb(other *Counters) {
	to, from := reflect.ValueOf(c).Elem(), reflect.ValueOf(other).Elem()
	for i := range from.NumField() {
		switch n := from.Field(i).Addr().Interface().(type) {
		case *atomic.Uint64:
			to.Field(i).Addr().Interface().(*atomic.Uint64).Add(n.Load())
		case *Labelled:
			sum := to.Field(i).Addr().Interface().(*Labelled)
			for label, n := range n.All {
				sum.Add(label, n)
			}
		}
	}
}

// totals sums up what all connections have counted since the process began, also those that are no more: a node's
// counters never fall.
func (m *Metrics) totals() *Counters {
	sum := &Counters{}
	m.mu.RLock()
	defer m.mu.RUnlock()
	sum.absorb(&m.removed)
	for _, c := range m.counters {
		sum.absorb(c)
	}
	return sum
}
