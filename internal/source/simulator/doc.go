// Package simulator is a Network Server (NS) made of nothing but a seed: the vendor's Data API with tokens, filters,
// history, every message type, downlinks and, on request, every way in which such a server misbehaves. It serves
// tests, the demo, the benchmarks and `lorry simulate ns`.
//
// It shares no code with the client in internal/source, so that a mistake made at one end is not made again at the
// other. The same seed and the same sequence of times give the same bytes.
//
// A map of the package, in a message's order:
//
//   - config.go validate.go filter.go query.go: what is configured, and what a client asks for in its URL
//   - world.go generate.go message.go: devices and gateways, and what happens to them
//   - params.go radio.go envelope.go: a message's JSON, its key order and spacing
//   - history.go rest.go: what is kept, and the REST source that reaches further back
//   - server.go listen.go traffic.go: the NS, where it listens, and the rate at which things happen
//   - stream.go compose.go replay.go departure.go wire.go: one client's WebSocket (RFC 6455)
//   - receive.go command.go downlink.go: what a client sends, and how it is judged
//   - faults.go: dropped, stalled, disordered, repeated, refused
//   - flood.go flood_template.go: numbered frames as fast as a client reads them
//   - ledger.go await.go: what happened, for verifiers
//
// A verifier compares what arrived with [NS.MessagesFor] (what should) or [NS.Sent] (what a connection was given);
// [Canonical] makes a replayed message and its first sending comparable. Under flood, [FloodNumber] and
// [NS.FloodFrame] take their place.
package simulator
