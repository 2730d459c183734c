// Package telemetry is what a node tells its operator: logs and metrics.
//
//	logger.go    NewLogger, and NewSlog for libraries that log through log/slog
//	counters.go  Counters, what is counted of one connection, and Snapshot, the counters of its status
//	labelled.go  Labelled, a counter by reason or cause
//	histogram.go Histogram, latencies counted without locks
//	state.go     State, what a connection is doing
//	metrics.go   Metrics, the registry of all connections and of the node, and its HTTP handler
//	collector.go the same values as Prometheus reads them
//
// A value is counted once, in an atomic of [Counters] or [Node]. A connection's status and the Prometheus exposition
// both read those atomics, so that they cannot disagree.
package telemetry
