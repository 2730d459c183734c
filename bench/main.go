// Command bench measures lorry on the machine that it runs on, next to what it can be compared with. It runs Network
// Server, lorry and MQTT broker as processes of their own on free loopback ports, writes its progress to stderr, a report
// to a directory of its own, and what matters most of it to stdout. `go run ./bench --help` lists what there is to measure;
// docs/performance.md says how to read it.
//
// A map, in the order in which a run comes by:
//
//   - main.go command.go: the command line
//   - run.go progress.go account.go: one scenario after the other, and what is to be known beside what they measure
//   - scenario: what is run and what is measured of it
//   - part: the programs beside lorry
//   - soak: lorry under faults drawn from a seed, and a verdict on every frame (`go run ./bench soak --help`)
//   - process: programs as processes, and what they cost
//   - report: tables, plots, goals
//   - hotpath: Go benchmarks of the steps on a frame's way (`go test -bench . ./bench/hotpath`)
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr)) //nolint:forbidigo,gocritic // this is a main, and stop releases nothing that outlives it
}

// run executes a command line until it is done or ctx ends, and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newCommand(stdout, stderr)
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(stderr, "bench:", err) //nolint:errcheck // there is nowhere else to say it
		return 1
	}
	return 0
}
