// Package buffer keeps every frame of every connection in JetStream from the moment it is received until the
// limits let it go, and hands it to the connection's one reader in order.
//
// All connections share one file-backed stream; a connection's frames lie under the subject `up.ID`. What
// arrived while the last write was under way is stored as one message: one write, one sync, one
// acknowledgement, all or nothing (docs/adr/0001-frames-in-batches.md). Within a connection every frame has a
// number, counted from 1 without gaps, so that lag and loss are differences and not guesses.
//
//	store.go   the stream: configuration, opening
//	log.go     one connection's frames: Append, in order, fenced against a second writer
//	pack.go    a batch of frames as a JetStream message, and back (fuzzed)
//	read.go    reading the stream from a position
//	trim.go    the bound on one connection's frames
//	feed.go    Next: from memory while the reader keeps up, from the stream when it is behind
//	purge.go   what a deleted connection leaves
//	source.go  what a restart has to know of the Network Server's end
//	cursor.go  the last frame acknowledged with all before it, kept by compare-and-set
package buffer
