// Package dataapi reads the messages of the Network Server's Data API: JSON objects
// {"type": string, "meta": object, "params": any}, one to a WebSocket text frame.
//
// The connector forwards every message byte for byte; this package only finds out what must be known to do so:
//
//   - [Scan] checks a message and extracts an [Envelope]: its [Type], the meta fields that topics are made of,
//     the times. Nothing else is decoded.
//   - [Type] knows which end sends it, [Envelope.FromNS] which end sent this message.
//   - [Identify] gives a message its [Identity], by which a message replayed from history is recognised as one
//     already received.
//
// Both readers agree on what a message is. It is one JSON text of RFC 8259 in valid UTF-8 (RFC 6455 §5.6 demands that
// of a text frame), an object at its top, nested at most [MaxDepth] levels. Keys are compared by their decoded
// value ("typ\u0065" is "type"). Of equal keys in one object the last counts, as in encoding/json and every
// browser; RFC 8259 §4 leaves that to the reader.
//
// The package is pure: no state, no clock, no I/O, and no retained reference to what it was given other than
// the slices in the returned Envelope.
//
// The files: types.go (vocabulary), direction.go (who sends what), scan.go (reading a message), text.go and escape.go
// (its tokens), check.go (what is wrong with it), identity.go and canonical.go (the form whose digest is the identity).
package dataapi
