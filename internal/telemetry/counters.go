package telemetry

import (
	"sync/atomic"
	"time"
)

// Counters is what is counted and measured of one connection since the process began, whatever restarts in it.
// All of it may be used by several goroutines at once; the zero value is ready.
//
// Each field that a `metric` tag names is read by the Prometheus exposition under that name, after the prefix
// "lorry_connection_"; its `help` says what it means. Counts are also summed up over all connections, after the prefix
// "lorry_node_".
type Counters struct {
	Received           atomic.Uint64 `metric:"received_total" help:"Frames received from the Network Server."`
	Duplicates         atomic.Uint64 `metric:"duplicates_total" help:"Frames received again and not stored."`
	Stored             atomic.Uint64 `metric:"stored_total" help:"Frames stored in the buffer."`
	Published          atomic.Uint64 `metric:"published_total" help:"PUBLISH packets sent to the broker, repeats included."`
	Acknowledged       atomic.Uint64 `metric:"acknowledged_total" help:"PUBLISH packets that the broker acknowledged."`
	Redelivered        atomic.Uint64 `metric:"redelivered_total" help:"Frames published again after a drop."`
	Parked             atomic.Uint64 `metric:"parked_total" help:"Frames set aside because they cannot be published."`
	DownlinksReceived  atomic.Uint64 `metric:"downlinks_received_total" help:"Messages received on topic_down."`
	DownlinksForwarded atomic.Uint64 `metric:"downlinks_forwarded_total" help:"Downlinks sent to the Network Server."`
	DownlinksDiscarded Labelled      `metric:"downlinks_discarded_total" label:"reason" help:"Messages on topic_down that were not forwarded."`

	FramesDiscarded Labelled `metric:"frames_discarded_total" label:"reason" help:"Messages of the Network Server that are no frames."`
	FramesEvicted   Labelled `metric:"frames_evicted_total" label:"reason" help:"Stored frames that the buffer's limits removed unpublished."`

	Overtaken       atomic.Uint64 `metric:"overtaken_total" help:"PUBLISH packets of downlink_requests that overtook a backlog."`
	RequestsExpired Labelled      `metric:"requests_expired_total" label:"fate" help:"Downlink_requests that expired before their turn, and were delivered last or discarded."`

	Gaps       Labelled `metric:"gaps_total" label:"reason" help:"Stretches of time of which frames are missing, or were until they were fetched again."`
	GapSeconds Labelled `metric:"gap_seconds_total" label:"reason" help:"How long those stretches were together."`

	SourceReconnects Labelled `metric:"source_reconnects_total" label:"cause" help:"Sessions with the Network Server that ended or failed to begin."`
	BrokerReconnects Labelled `metric:"broker_reconnects_total" label:"cause" help:"Sessions with the broker that ended or failed to begin."`

	ReceivedBytes  atomic.Uint64 `metric:"received_bytes_total" help:"Bytes of the frames received."`
	PublishedBytes atomic.Uint64 `metric:"published_bytes_total" help:"Bytes of the payloads published, repeats included."`

	InFlight  atomic.Int64 `metric:"in_flight" help:"PUBLISH packets waiting for their PUBACK."`
	LagFrames atomic.Int64 `metric:"lag_frames" help:"Stored frames that are not known to be acknowledged."`
	Lag       Seconds      `metric:"lag_seconds" help:"Age of the oldest frame that is not known to be acknowledged."`
	State     StateGauge   `metric:"state" label:"state" help:"1 for the state that the connection is in, 0 for the others."`

	AckLatency      Histogram `metric:"puback_seconds" help:"Time from PUBLISH to PUBACK."`
	DownlinkLatency Histogram `metric:"downlink_seconds" help:"Time from a downlink's arrival to its being sent to the Network Server."`
}

// Snapshot is the `counters` object of a connection's status.
type Snapshot struct {
	Received           uint64 `json:"received"`
	Duplicates         uint64 `json:"duplicates"`
	Stored             uint64 `json:"stored"`
	Published          uint64 `json:"published"`
	Acknowledged       uint64 `json:"acknowledged"`
	Redelivered        uint64 `json:"redelivered"`
	Parked             uint64 `json:"parked"`
	DownlinksReceived  uint64 `json:"downlinks_received"`
	DownlinksForwarded uint64 `json:"downlinks_forwarded"`
	DownlinksDiscarded uint64 `json:"downlinks_discarded"`
}

// Snapshot reads the counters. Each is exact; between them other goroutines may count.
//
// What comes later in a frame's life is read first, so that no snapshot shows more acknowledged than published.
func (c *Counters) Snapshot() Snapshot {
	var s Snapshot
	s.Parked = c.Parked.Load()
	s.Acknowledged = c.Acknowledged.Load()
	s.Redelivered = c.Redelivered.Load()
	s.Published = c.Published.Load()
	s.Stored = c.Stored.Load()
	s.Duplicates = c.Duplicates.Load()
	s.Received = c.Received.Load()
	s.DownlinksForwarded = c.DownlinksForwarded.Load()
	s.DownlinksDiscarded = c.DownlinksDiscarded.Total()
	s.DownlinksReceived = c.DownlinksReceived.Load()
	return s
}

// Seconds is a duration that is exposed in seconds. The zero value is 0.
type Seconds struct{ ns atomic.Int64 }

// Set replaces the value.
func (s *Seconds) Set(d time.Duration) { s.ns.Store(int64(d)) }

// Load returns the value.
func (s *Seconds) Load() time.Duration { return time.Duration(s.ns.Load()) }
