package main

import (
	"github.com/spf13/cobra"

	"github.com/lorry-mqtt/lorry/internal/app"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

func newRunCommand(environ []string) *cobra.Command {
	file := configFlag{environ: environ}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the service",
		Long: `Run the service until SIGTERM or SIGINT, which drain it: nothing more is read, PUBACKs are waited for as long as
node.shutdown_grace allows, the cursors are saved, the exit status is 0. A second signal ends it at once; what was not
known to be acknowledged is then published again at the next start.

Without a configuration: embedded JetStream in ./lorry-data, HTTP on 127.0.0.1:8080, no connections. Every key
of the file can also be given as an environment variable, LORRY_ and its path in capitals with _ between:
LORRY_NODE_SHUTDOWN_GRACE=30s. The log goes to stderr.`,
		Example: "  lorry run --config lorry.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := file.load(cmd)
			if err != nil {
				return err
			}
			log, err := telemetry.NewLogger(cmd.ErrOrStderr(), cfg.Log.Level, cfg.Log.Format)
			if err != nil {
				return err
			}
			node, err := app.New(cfg, log, version, commit())
			if err != nil {
				return err
			}
			return node.Run(cmd.Context())
		},
	}
	file.add(cmd)
	return cmd
}
