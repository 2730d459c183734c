package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// usageError is a command line that makes no sense; it exits with status 2.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// misuse is a usageError of its own making.
func misuse(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func newRootCommand(environ []string, stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "lorry",
		Short: "Haul messages between LoRaWAN Network Servers and MQTT brokers",
		Long: `lorry reads a LoRaWAN Network Server's Data API, keeps every message in NATS JetStream until the customer's
MQTT broker has acknowledged it at QoS 1, and carries downlinks back in time for the device's receive window.

Try it with nothing installed:    lorry demo
Run it as a service:              lorry run --config lorry.yaml

Errors go to stderr. The exit status is 0 when all went well, 1 after a failure, 2 for wrong usage.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return misuse("%w (see '%s --help')", err, cmd.CommandPath())
	})
	root.SetHelpCommand(newHelpCommand())
	root.AddCommand(newRunCommand(environ), newCheckCommand(environ), newConnectionsCommand(environ), newTopCommand(environ),
		newDemoCommand(), newSimulateCommand(), newVersionCommand())
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.InitDefaultCompletionCmd() // now, to be made strict with the rest
	makeStrict(root)
	return root
}

// argumentsKey annotates a command that takes arguments, and checks them itself.
const argumentsKey = "arguments"

// takes has a command take the arguments of those names, and no others.
func takes(cmd *cobra.Command, names ...string) *cobra.Command {
	cmd.Annotations = map[string]string{argumentsKey: strings.Join(names, " ")}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return misuse("'%s' takes %s, got %d arguments", cmd.CommandPath(), strings.Join(names, " and "), len(args))
		}
		return nil
	}
	return cmd
}

// makeStrict has a command and all below it refuse arguments, unless it takes some. Those that only hold others show
// their help.
func makeStrict(cmd *cobra.Command) {
	if cmd.Annotations[argumentsKey] == "" {
		cmd.Args = noArgs
	}
	if cmd.HasSubCommands() {
		cmd.DisableFlagsInUseLine = true
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	for _, below := range cmd.Commands() {
		makeStrict(below)
	}
}

// noArgs refuses arguments, and words that are no command.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		var names []string
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				names = append(names, c.Name())
			}
		}
		return misuse("%q is no command of '%s': it has %s", args[0], cmd.CommandPath(), strings.Join(names, ", "))
	}
	return misuse("'%s' takes no arguments, got %q", cmd.CommandPath(), args[0])
}

// newHelpCommand replaces cobra's own, which takes a word that is no command for success.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil {
				return usageError{err}
			}
			if err := noArgs(about, rest); err != nil {
				return err
			}
			about.InitDefaultHelpFlag() // it is listed with the others
			return about.Help()
		},
	}
}
