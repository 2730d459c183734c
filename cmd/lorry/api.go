package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lorry-mqtt/lorry/internal/client"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

// maxInput is the largest file with a connection in bytes; the API takes less.
const maxInput = 1 << 20

// apiFlags are the flags of a command that asks a node.
type apiFlags struct {
	server, token, ca, output string
}

func (f *apiFlags) add(cmd *cobra.Command, environ []string) {
	server := "http://127.0.0.1:8080"
	var token string
	for _, entry := range environ {
		switch name, value, _ := strings.Cut(entry, "="); {
		case name == "LORRY_SERVER" && value != "":
			server = value
		case name == "LORRY_TOKEN":
			token = value
		}
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.server, "server", server, "`URL` of the node; also LORRY_SERVER")
	flags.StringVar(&f.token, "token", token, "bearer `token`; better LORRY_TOKEN, which others on this machine do not see")
	flags.Lookup("token").DefValue = "" // help shows no secret
	flags.StringVar(&f.ca, "ca", "", "PEM `file` with the CAs to trust for https:// instead of the system's")
}

func (f *apiFlags) addOutput(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVarP(&f.output, "output", "o", "table", "table or json")
	completions := cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc("output", completions); err != nil {
		panic(err) // there is no such flag
	}
}

// open makes the client that the flags ask for.
func (f *apiFlags) open() (*client.Client, error) {
	if f.output != "" && f.output != "table" && f.output != "json" {
		return nil, misuse("--output must be table or json, got %q", f.output)
	}
	var ca []byte
	if f.ca != "" {
		var err error
		if ca, err = os.ReadFile(f.ca); err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
	}
	c, err := client.New(f.server, secret.New(f.token), ca)
	if err != nil {
		return nil, usageError{fmt.Errorf("--server, --ca: %w", err)}
	}
	return c, nil
}

// ask sends one request and decodes the answer.
func (f *apiFlags) ask(ctx context.Context, r client.Request, out any) error {
	c, err := f.open()
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Do(ctx, r, out)
	return err
}

// one is the path of a connection.
func one(id string) string { return "/connections/" + url.PathEscape(id) }

// readConnection reads a connection from a file in YAML or JSON, "-" for stdin, and returns it as the API takes it.
func readConnection(cmd *cobra.Command, name string, change func(*connection.Spec)) ([]byte, error) {
	if name == "" {
		return nil, misuse("'%s' needs --file with the connection, - for stdin", cmd.CommandPath())
	}
	input := cmd.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("--file: %w", err)
		}
		defer func() { _ = file.Close() }()
		input = file
	}
	data, err := io.ReadAll(io.LimitReader(input, maxInput+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	case len(data) > maxInput:
		return nil, fmt.Errorf("%s is larger than 1 MiB: it is no connection", name)
	}
	spec, faults := connection.DecodeYAML(data)
	if len(faults) > 0 {
		lines := make([]string, len(faults))
		for i, f := range faults {
			lines[i] = name + ": " + f.String()
		}
		return nil, fmt.Errorf("%s", strings.Join(lines, "\n"))
	}
	if change != nil {
		change(&spec)
	}
	return spec.MarshalStored() // as it was written: it goes to the node, which keeps it
}

// completeID offers the IDs of the connections there are.
func (f *apiFlags) completeID(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var list struct{ Connections []struct{ ID string } }
	err := f.ask(cmd.Context(), client.Request{Method: http.MethodGet, Path: "/connections", Query: url.Values{"limit": {"1000"}}}, &list)
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ids := make([]string, len(list.Connections))
	for i, c := range list.Connections {
		ids[i] = c.ID
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// printJSON writes an answer as it is, indented.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
