// Package hotpath holds Go benchmarks of single steps on a frame's way, to be compared over time (benchstat). What the
// steps cost together, the scenarios measure; steps that a package can only measure from within have their benchmarks
// there:
//
//	internal/source    BenchmarkSession     a frame off the WebSocket
//	here               BenchmarkScan        its envelope, by size and by where meta stands
//	internal/buffer    BenchmarkAppend      into JetStream, in batches of 1 to 512
//	                   BenchmarkReadAfter   and back
//	here               BenchmarkFeed…       to the reader, from memory and from the stream
//	                   BenchmarkTopic       its topic
//	                   BenchmarkWindow      its place among those in flight
//	internal/broker    BenchmarkPublish     out, and its PUBACK
//	actors             BenchmarkRoute       all of it through the actors, without the two networks
//	here               BenchmarkWay         all of it, from the Network Server's socket to the broker's PUBACK
//
// ns/op and allocs/op are for one frame, those of BenchmarkAppend and BenchmarkReadAfter for a batch. The scenario hotpath
// runs them, also beside those of another revision; `go test -run '^$' -bench . ./bench/hotpath` runs those that are here.
//
// Time depends on the machine, and no test looks at it. What a step allocates does not: allocations_test.go bounds it.
package hotpath
