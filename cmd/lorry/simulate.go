package main

import "github.com/spf13/cobra"

func newSimulateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Simulate what is at the ends of a connection",
	}
	cmd.AddCommand(newSimulateNSCommand())
	return cmd
}
