// Command lorry hauls messages between LoRaWAN Network Servers and customers' MQTT brokers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/lorry-mqtt/lorry/internal/config"
	"github.com/lorry-mqtt/lorry/internal/config/document"
)

// Exit statuses.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals) // first: whoever sees the program stop may send a second one, which ends it at once
		cancel()
	}()
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run executes a command line until it is done or ctx ends, and returns the exit status.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	root := newRootCommand(environ, stdout, stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(stderr, origin(err)+strings.TrimSuffix(line, "\n")) //nolint:errcheck // there is nowhere else to say it
	}
	if _, usage := errors.AsType[usageError](err); usage {
		return exitUsage
	}
	return exitFailure
}

// origin is what each line of an error begins with: the program's name, unless the line names a place in a file.
func origin(err error) string {
	_, faulty := errors.AsType[*config.Error](err)
	_, malformed := errors.AsType[*document.SyntaxError](err)
	if faulty || malformed {
		return ""
	}
	return "lorry: "
}
