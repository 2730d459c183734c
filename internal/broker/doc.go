// Package broker is the MQTT end of a connection: one MQTT 3.1.1 session with the customer's broker per [Session],
// over TCP, TLS or WebSocket. The Eclipse Paho client opens it, subscribes and receives; PUBLISHes and PUBACKs, of which
// there are the most by far, pass it by (docs/adr/0009-publishes-pass-paho-by.md).
//
// A session is made by [Connect], which sends exactly one CONNECT, and never outlives its network connection: when
// that ends, [Events].Lost says why, and the owner makes a new session. Nothing in here retries, waits or stores.
//
// The files, in the order in which a session is made and used:
//
//	uri.go        ParseURI: what a connection's uri may say
//	limits.go     what brokers that are known by their host's name limit
//	options.go    Options, Message, Events: what the owner says and hears
//	tls.go        TLSConfig: a connection's tls as crypto/tls wants it
//	dial.go       TCP and TLS
//	websocket.go  MQTT over WebSocket (MQTT 3.1.1 §6, RFC 6455)
//	wire.go       the connection that paho is given: writes leave together, the reason of its end is kept
//	keep_alive.go PINGREQ and PINGRESP
//	inbound.go    what the broker may say: checked before paho sees it
//	session.go    Connect, Close and the end of a session
//	paho.go       paho's options, and the rules for living with it
//	publish.go    Publish
//	acks.go       packet identifiers, and PUBACKs traced back to what was published
//	subscribe.go  Subscribe
//	errors.go     errors by what was tried, Classify
//	mend.go       what a user can do about them
package broker
