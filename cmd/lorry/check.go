package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newCheckCommand(environ []string) *cobra.Command {
	file := configFlag{environ: environ}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check a configuration and all connections in it",
		Long: `Read the configuration, with the environment's LORRY_ variables over it as 'lorry run' does, and all connections in
it. Print every fault on a line of its own, with file, line and the path of the key, and exit with status 1 if there is
any. What is allowed but may not be meant is printed as a warning.

Nothing is started, and no broker, Network Server or NATS server is asked.`,
		Example: "  lorry check --config lorry.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := file.load(cmd)
			if err != nil {
				return err
			}
			for _, warning := range cfg.Warnings {
				if _, err := fmt.Fprintln(cmd.ErrOrStderr(), "warning:", warning); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "ok: %s\n", count(len(cfg.Connections), "connection"))
			return err
		},
	}
	file.add(cmd)
	return cmd
}

// count is a number of things in words: "1 connection", "2 connections".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
