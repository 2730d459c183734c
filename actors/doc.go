// Package actors is the program's behaviour: a tree of actors on protoactor-go, in which a frame travels from
// the Network Server to the customer's broker and a downlink back.
//
//	node ─┬─ connection "acme" ─┬─ ns-reader      Network Server → buffer; downlinks → Network Server
//	      │                     ├─ topic-router   buffer → topics, as much as it has credit for
//	      │                     ├─ publisher      topics → broker, window, backoff; owns the MQTT session
//	      │                     └─ subscriber     topic_down → ns-reader
//	      └─ connection …
//
// Files in the data's order: node.go, connection.go, ns_reader.go, topic_router.go, publisher.go,
// subscriber.go. What they stand on: supervision.go (who restarts whom, and when), incarnation.go (an actor's
// goroutines and timers), deps.go (what comes from outside), shared.go (what a connection's children share).
//
// The rules. An actor's state is touched only inside Receive, and nothing blocks there: what may block runs in
// a goroutine of the actor's incarnation and reports by message; a report of an earlier incarnation is
// dropped. A network that fails is an event, and answered with backoff; a panic is a bug, and answered by
// stopping that one actor and starting it again after a pause. No failure leaves its connection.
package actors
