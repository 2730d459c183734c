// Package registry keeps the connections that are managed at run time, in a JetStream key-value bucket, beside the
// static ones of the node's configuration.
//
// A connection lies under its ID, as [connection.Spec.MarshalStored] writes it: the bucket holds its secrets and is
// guarded like the frames themselves. Its revision is what a writer has to know to replace it. That it is paused
// lies under ID.paused: an instruction of the operator's, no part of the configuration, which it leaves unchanged.
//
//	registry.go  Registry: opening, what there is
//	write.go     Create, Update, Delete, Pause, Resume, each by compare-and-set
//	watch.go     Watch: what others wrote, over lost connections too
//	view.go      the state of the bucket, in memory
//	stored.go    decoding of what is stored (fuzzed)
//
// A deleted connection leaves a delete marker until [Registry.Forget]: whoever runs it purges its buffer first, also
// after a crash, and no other can take its ID meanwhile.
package registry
