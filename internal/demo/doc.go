// Package demo runs everything in one process, on free loopback ports, with nothing to install: a simulated
// Network Server, an MQTT broker, a node with one connection between them, a subscriber that prints what
// arrives and an application that answers each downlink_request. At its end it says what was lost: nothing.
//
//	demo.go         the parts and their order
//	broker.go       the embedded MQTT broker
//	application.go  subscriber and application: what a customer has behind the broker
//	account.go      sent against received, to the frame
package demo
