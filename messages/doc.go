// Package messages holds what the actors of one process say to each other: commands in the imperative, events
// in the past tense, answers as nouns. A message is not changed once it is sent, and frames travel in batches.
//
//	node.go        with the node: which connections there are, the end
//	delivery.go    topic-router and publisher: frames one way, credit the other
//	session.go     publisher and subscriber: the one MQTT session they share
//	downlink.go    broker → subscriber → ns-reader
//	status.go      what a connection is told by its children, and what it tells
package messages
