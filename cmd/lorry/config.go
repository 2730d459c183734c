package main

import (
	"github.com/spf13/cobra"

	"github.com/lorry-mqtt/lorry/internal/config"
)

// configFlag is the flag that names the configuration file of a command, and the environment over it.
type configFlag struct {
	path    string
	environ []string
}

func (f *configFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.path, "config", "", "configuration `file` (YAML)")
	if err := cmd.MarkFlagFilename("config", "yaml", "yml"); err != nil {
		panic(err) // there is no such flag
	}
}

func (f *configFlag) load(cmd *cobra.Command) (config.Config, error) {
	if f.path == "" && cmd.Flags().Changed("config") { // a script's variable that is not set, most likely
		return config.Config{}, misuse("--config is empty: name a file, or leave it out")
	}
	return config.Load(f.path, f.environ)
}
