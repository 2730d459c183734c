// Package natsconn opens the NATS connection on which everything durable rests: to an external NATS system, or
// to a server embedded in this process with its JetStream store in a directory of ours.
//
//	embedded.go  the embedded server: options, start, stop, the lock on its directory
//	marker.go    whether the server before this one stopped in good order
//	key.go       the proof that a store is opened with its own key
//	conn.go      the client connection and its JetStream context
//	logger.go    the server's log lines through zerolog
package natsconn
