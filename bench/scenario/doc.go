// Package scenario says what the benchmark runs and what it measures of it. Every part of a scenario is a process of
// its own on a free loopback port; all of them end with it.
//
//   - scenario.go: the scenarios by name, and how much of them is run
//   - stage.go broker.go lorry.go: the parts and how they are put together
//   - contender.go peers.go: who is compared with whom
//   - measure.go outcomes.go series.go cost.go: frames acknowledged over time, and what that cost
//   - throughput.go throughput_report.go: how fast one connection is next to its peers
//   - latency.go downlink.go: how long a frame is on its way, and a downlink
//   - latency_parts.go latency_timing.go latency_quantile.go: how that is timed
//   - catch_up.go catch_up_moment.go catch_up_report.go: what an outage of the broker does to memory, order and
//     completeness, and to what is live while it is caught up with
//   - connections.go idle.go fleet.go: many connections, busy and idle
//   - hotpath.go hotpath_side.go hotpath_parse.go: what single steps cost, and what they cost before a change
package scenario
