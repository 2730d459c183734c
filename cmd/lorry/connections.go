package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lorry-mqtt/lorry/internal/client"
)

func newConnectionsCommand(environ []string) *cobra.Command {
	api := &apiFlags{}
	cmd := &cobra.Command{
		Use:   "connections",
		Short: "Manage the connections of a running node",
		Long: `Manage the connections of a running node over its HTTP API.

The node is named by --server or LORRY_SERVER, http://127.0.0.1:8080 unless told otherwise. Where it asks for a token, give it
in LORRY_TOKEN. Secrets are shown as ***; an update that has *** in a secret's place keeps what is stored.`,
		Example: `  lorry connections create -f acme.yaml
  lorry connections list --state backoff
  lorry connections log acme-prod --follow`,
	}
	api.add(cmd, environ)
	api.addOutput(cmd)
	cmd.AddCommand(newListCommand(api), newGetCommand(api), newStatusCommand(api), newCreateCommand(api), newUpdateCommand(api),
		newDeleteCommand(api), newTellCommand(api, "pause", "Store a connection's frames and publish none, until it is resumed"),
		newTellCommand(api, "resume", "Publish from where a connection was paused on"),
		newTellCommand(api, "restart", "Stop a connection in good order and start it anew"),
		newTestCommand(api), newReplayCommand(api), newLogCommand(api), newParkedCommand(api))
	return cmd
}

// listed is a connection of a list, as far as a table shows it.
type listed struct {
	ID          string            `json:"id"`
	Description string            `json:"description"`
	URI         string            `json:"uri"`
	Tags        map[string]string `json:"tags"`
	State       string            `json:"state"`
	Static      bool              `json:"static"`
	LastError   string            `json:"last_error"`
	Lag         struct {
		Frames  int64   `json:"frames"`
		Seconds float64 `json:"seconds"`
	} `json:"lag"`
	InFlight     int64  `json:"in_flight"`
	Acknowledged uint64 `json:"acknowledged"`
}

// list asks for all pages; each is called with each connection as the API has it.
func list(ctx context.Context, c *client.Client, query url.Values, each func(json.RawMessage) error) error {
	query = maps.Clone(query)
	query.Set("limit", "1000")
	for {
		var page struct {
			Connections []json.RawMessage `json:"connections"`
			Next        string            `json:"next"`
		}
		if _, err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/connections", Query: query}, &page); err != nil {
			return err
		}
		for _, one := range page.Connections {
			if err := each(one); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		query.Set("cursor", page.Next)
	}
}

func newListCommand(api *apiFlags) *cobra.Command {
	var states, tags []string
	cmd := &cobra.Command{
		Use: "list", Short: "List connections, with what they are doing",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := api.open()
			if err != nil {
				return err
			}
			defer c.Close()
			query := url.Values{"state": states, "tag": tags}
			if api.output == "json" {
				all := []json.RawMessage{}
				err := list(cmd.Context(), c, query, func(one json.RawMessage) error { all = append(all, one); return nil })
				if err != nil {
					return err
				}
				return printJSON(cmd.OutOrStdout(), map[string]any{"connections": all})
			}
			t := newTable(cmd.OutOrStdout(), "ID", "STATE", "LAG", "BROKER", "TAGS", "LAST ERROR")
			err = list(cmd.Context(), c, query, func(raw json.RawMessage) error {
				var one listed
				if err := json.Unmarshal(raw, &one); err != nil {
					return err
				}
				t.row(one.ID, one.State, one.Lag.Frames, one.URI, tagText(one.Tags), one.LastError)
				return nil
			})
			if err != nil {
				return err
			}
			return t.flush()
		},
	}
	cmd.Flags().StringArrayVar(&states, "state", nil, "only those in this `state`, or one of these")
	cmd.Flags().StringArrayVar(&tags, "tag", nil, "only those with this tag, `NAME=VALUE`, and all of these")
	return cmd
}

func tagText(tags map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, name+"="+tags[name])
	}
	return strings.Join(all, ",")
}

func newGetCommand(api *apiFlags) *cobra.Command {
	cmd := takes(&cobra.Command{
		Use: "get ID", Short: "Show a connection's configuration",
		Long: "Show a connection's configuration as JSON, which 'lorry connections update' takes back.",
		RunE: func(cmd *cobra.Command, args []string) error {
			var answer json.RawMessage
			if err := api.ask(cmd.Context(), client.Request{Method: http.MethodGet, Path: one(args[0])}, &answer); err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), answer)
		},
	}, "an ID")
	cmd.ValidArgsFunction = api.completeID
	return cmd
}

func newCreateCommand(api *apiFlags) *cobra.Command {
	var file string
	var dryRun bool
	cmd := &cobra.Command{
		Use: "create --file F", Short: "Create a connection from a file in YAML or JSON",
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := readConnection(cmd, file, nil)
			if err != nil {
				return err
			}
			r := client.Request{Method: http.MethodPost, Path: "/connections", Type: "application/json", Body: body}
			if dryRun {
				return dryRunOf(cmd, api, r)
			}
			return changed(cmd, api, r, "created")
		},
	}
	fileFlag(cmd, &file)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "validate and test it, and save nothing")
	return cmd
}

func newUpdateCommand(api *apiFlags) *cobra.Command {
	var file, ifMatch string
	cmd := takes(&cobra.Command{
		Use: "update ID --file F", Short: "Replace a connection by a file in YAML or JSON",
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := readConnection(cmd, file, nil)
			if err != nil {
				return err
			}
			r := client.Request{Method: http.MethodPut, Path: one(args[0]), Type: "application/json", Body: body}
			if ifMatch != "" {
				r.Header = map[string]string{"If-Match": ifMatch}
			}
			return changed(cmd, api, r, "updated")
		},
	}, "an ID")
	fileFlag(cmd, &file)
	cmd.Flags().StringVar(&ifMatch, "if-match", "", "only if this is still its `etag`, as 'list --output json' shows it")
	cmd.ValidArgsFunction = api.completeID
	return cmd
}

func newDeleteCommand(api *apiFlags) *cobra.Command {
	cmd := takes(&cobra.Command{
		Use: "delete ID", Short: "Delete a connection, and what it has buffered",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := api.ask(cmd.Context(), client.Request{Method: http.MethodDelete, Path: one(args[0])}, nil); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s deleted\n", args[0])
			return err
		},
	}, "an ID")
	cmd.ValidArgsFunction = api.completeID
	return cmd
}

// changed sends a request that answers with a connection, and says what has become of it.
func changed(cmd *cobra.Command, api *apiFlags, r client.Request, what string) error {
	var answer json.RawMessage
	if err := api.ask(cmd.Context(), r, &answer); err != nil {
		return err
	}
	if api.output == "json" {
		return printJSON(cmd.OutOrStdout(), answer)
	}
	var c struct{ ID string }
	if err := json.Unmarshal(answer, &c); err != nil {
		return err
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", c.ID, what)
	return err
}

// newTellCommand makes a command that asks for something to be done to a connection.
func newTellCommand(api *apiFlags, name, short string) *cobra.Command {
	cmd := takes(&cobra.Command{
		Use: name + " ID", Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			var answer json.RawMessage
			if err := api.ask(cmd.Context(), client.Request{Method: http.MethodPost, Path: one(args[0]) + "/" + name}, &answer); err != nil {
				return err
			}
			if api.output == "json" {
				return printJSON(cmd.OutOrStdout(), answer)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s requested\n", args[0], name)
			return err
		},
	}, "an ID")
	cmd.ValidArgsFunction = api.completeID
	return cmd
}

func fileFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "file", "f", "", "`file` with the connection, in YAML or JSON; - for stdin")
	if err := cmd.MarkFlagFilename("file", "yaml", "yml", "json"); err != nil {
		panic(err) // there is no such flag
	}
}
