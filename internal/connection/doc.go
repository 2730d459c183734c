// Package connection is a connection as its owner writes it: one route from the Network Server through the buffer to
// a customer's MQTT broker, and back.
//
//	spec.go      Spec, the one shape of a connection in JSON (HTTP API, registry) and YAML (files)
//	uri.go       URI, the broker's address, whose password masks itself
//	duration.go  Duration, written "30s"
//	defaults.go  what a connection leaves unsaid
//	decode.go    strict reading: unknown keys are faults with their path
//	stored.go    the one encoding that reveals the secrets
//	validate*.go every fault of a connection at once, before anything dials
//
// Everything that prints or encodes a Spec masks its secrets; only [Spec.MarshalStored] reveals them.
package connection
