// Package process runs the benchmark's programs, each in a process of its own, and reads what they cost.
//
//   - process.go: starting, awaiting, stopping
//   - port.go: where they listen
//   - usage.go usage_linux.go usage_other.go: CPU time and memory, of a process and of the machine
//   - limit_unix.go limit_other.go: how many files they may have open
//   - machine.go machine_load.go: what it ran on, and what else ran there
//   - gauge.go: the numbers that a program shows over HTTP
package process
