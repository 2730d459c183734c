// Package testkit gives tests the real other ends of a connection, in this process or as a process of their own, and
// wires between them that misbehave on command.
//
// Nothing in here skips, sleeps or needs the network beyond loopback: every part listens on a free port of 127.0.0.1,
// ends with the test that started it, and reports what it cannot do with t.Fatal. Waits are for events and bounded by
// [Patience].
//
//	Broker       an MQTT broker in this process (mqtt, mqtts, ws, wss) that records what is published to it
//	Mosquitto    the same for the mosquitto program, for tests under the build tag "interop"
//	PubackProxy  stands before a broker, tampers with its PUBACKs, cuts and stalls the wire
//	Wire         a TCP connection that can be cut, stalled and limited, whatever travels over it
//	DNS          a name server whose answers may change from one lookup to the next
//	CA           a certification authority made at run time, for server and client certificates
//	NATS         an embedded NATS server with JetStream
//	ExternalNATS one that goes and comes back under its clients, as a process of its own would
//	Verify       what came of a stretch of messages: lost, repeated, disordered, foreign
package testkit
