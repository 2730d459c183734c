// Package fault collects everything that is wrong with an input, so that whoever wrote it learns all of it at once.
//
// A [Fault] names one field by its path (`mqtt.max_inflight`, `connections[2].uri`) and says what is wrong with its
// value and what would be right. A [List] gathers them in the order found; [List.Err] turns it into an error only
// when there is one to report.
package fault
