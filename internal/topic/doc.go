// Package topic makes and judges MQTT topics.
//
//   - [Template] is a connection's topic_up: compiled once, it gives every message its topic.
//   - [Filter] is a connection's topic_down: a topic filter of MQTT 3.1.1 §4.7.
//   - [Overlap] tells whether messages published by the one would come back through the other, which would feed the
//     Network Server its own messages.
//
// Topics made here are legal whatever the message: MQTT 3.1.1 §4.7 on topic names and §1.5.3 on the characters
// in them, including those that §1.5.3 merely allows a broker to refuse, as a refusal ends the session.
//
// The package is pure: no state, no clock, no I/O.
package topic
