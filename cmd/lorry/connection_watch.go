package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/lorry-mqtt/lorry/internal/client"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/eventlog"
	"github.com/lorry-mqtt/lorry/messages"
)

func newStatusCommand(api *apiFlags) *cobra.Command {
	cmd := takes(&cobra.Command{
		Use: "status ID", Short: "Show what a connection is doing",
		RunE: func(cmd *cobra.Command, args []string) error {
			var answer json.RawMessage
			if err := api.ask(cmd.Context(), client.Request{Method: http.MethodGet, Path: one(args[0]) + "/status"}, &answer); err != nil {
				return err
			}
			if api.output == "json" {
				return printJSON(cmd.OutOrStdout(), answer)
			}
			var s messages.Status
			if err := json.Unmarshal(answer, &s); err != nil {
				return err
			}
			t := newTable(cmd.OutOrStdout(), "END", "STATE", "SINCE", "LAST ERROR")
			t.row("connection", s.State, when(s.Since), "")
			t.row("broker", s.Broker.State, when(s.Broker.Since), s.Broker.LastError)
			t.row("source", s.Source.State, when(s.Source.Since), s.Source.LastError)
			if err := t.flush(); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "\nbehind %d frames, %.1f s; %d in flight; received %d, acknowledged %d, redelivered %d, parked %d\n",
				s.Lag.Frames, s.Lag.Seconds, s.InFlight, s.Counters.Received, s.Counters.Acknowledged, s.Counters.Redelivered, s.Counters.Parked)
			return err
		},
	}, "an ID")
	cmd.ValidArgsFunction = api.completeID
	return cmd
}

func when(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

func newLogCommand(api *apiFlags) *cobra.Command {
	var follow bool
	cmd := takes(&cobra.Command{
		Use: "log ID", Short: "Show the last 200 events of a connection",
		RunE: func(cmd *cobra.Command, args []string) error {
			show := func(e eventlog.Event) error { return printEvent(cmd.OutOrStdout(), api.output, e) }
			if follow {
				c, err := api.open()
				if err != nil {
					return err
				}
				defer c.Close()
				return c.Follow(cmd.Context(), args[0], show)
			}
			var list struct{ Events []eventlog.Event }
			if err := api.ask(cmd.Context(), client.Request{Method: http.MethodGet, Path: one(args[0]) + "/log"}, &list); err != nil {
				return err
			}
			for _, e := range list.Events {
				if err := show(e); err != nil {
					return err
				}
			}
			return nil
		},
	}, "an ID")
	cmd.Flags().BoolVar(&follow, "follow", false, "and then each as it happens, until interrupted")
	cmd.ValidArgsFunction = api.completeID
	return cmd
}

// printEvent writes an event on a line.
func printEvent(w io.Writer, output string, e eventlog.Event) error {
	if output == "json" {
		return json.NewEncoder(w).Encode(e)
	}
	line := fmt.Sprintf("%s  %-5s  %s", when(e.Time), e.Level, e.Message)
	if e.Count > 0 {
		line += fmt.Sprintf(" (%d", e.Count)
		if e.Reason != "" {
			line += " " + e.Reason
		}
		line += ")"
	}
	if e.Error != "" {
		line += ": " + e.Error
	}
	_, err := fmt.Fprintln(w, plain(line))
	return err
}

// probe is the answer of a test.
type probe struct {
	OK             bool
	Broker, Source []struct {
		Name, Duration, Error, Mend string
		OK                          bool
	}
}

// errTest ends a test whose report was printed: a script sees it by the exit status.
var errTest = errors.New("the test has failed, see the stage that is not ok")

func newTestCommand(api *apiFlags) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "test {ID | --file F}", Short: "Test a connection that there is, or one in a file before it is created",
		Long: `Test a connection stage by stage: dns, tcp, tls, websocket, connack, suback, puback, and the Network Server's end. The
test has a client ID of its own and disturbs no session that runs. The exit status is 1 if a stage fails.`,
		Annotations: map[string]string{argumentsKey: "an ID"},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || (len(args) == 1) == (file != "") {
				return misuse("'%s' takes an ID, or --file", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if file != "" {
				body, err := readConnection(cmd, file, func(s *connection.Spec) { s.ID = "" }) // one of that ID may be there
				if err != nil {
					return err
				}
				return dryRunOf(cmd, api, client.Request{Method: http.MethodPost, Path: "/connections", Type: "application/json", Body: body})
			}
			var answer json.RawMessage
			if err := api.ask(cmd.Context(), client.Request{Method: http.MethodPost, Path: one(args[0]) + "/test"}, &answer); err != nil {
				return err
			}
			return printProbe(cmd, api, answer)
		},
	}
	fileFlag(cmd, &file)
	cmd.ValidArgsFunction = api.completeID
	return cmd
}

// dryRunOf sends what would create a connection, and shows how its test went.
func dryRunOf(cmd *cobra.Command, api *apiFlags, r client.Request) error {
	r.Query = url.Values{"dry_run": {"true"}}
	var answer struct{ Test json.RawMessage }
	if err := api.ask(cmd.Context(), r, &answer); err != nil {
		return err
	}
	if len(answer.Test) == 0 || string(answer.Test) == "null" {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), "valid; this node cannot test connections")
		return err
	}
	return printProbe(cmd, api, answer.Test)
}

func printProbe(cmd *cobra.Command, api *apiFlags, answer json.RawMessage) error {
	var p probe
	if err := json.Unmarshal(answer, &p); err != nil {
		return err
	}
	if api.output == "json" {
		if err := printJSON(cmd.OutOrStdout(), answer); err != nil {
			return err
		}
	} else {
		t := newTable(cmd.OutOrStdout(), "END", "STAGE", "OK", "DURATION", "ERROR", "WHAT TO DO")
		for _, s := range p.Broker {
			t.row("broker", s.Name, s.OK, s.Duration, s.Error, s.Mend)
		}
		for _, s := range p.Source {
			t.row("source", s.Name, s.OK, s.Duration, s.Error, s.Mend)
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	if !p.OK {
		return errTest
	}
	return nil
}

func newParkedCommand(api *apiFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "parked", Short: "Frames that were set aside because they cannot be published"}
	show := takes(&cobra.Command{
		Use: "list ID", Short: "List the parked frames of a connection",
		RunE: func(cmd *cobra.Command, args []string) error {
			var answer json.RawMessage
			r := client.Request{Method: http.MethodGet, Path: one(args[0]) + "/parked", Query: url.Values{"limit": {"1000"}}}
			if err := api.ask(cmd.Context(), r, &answer); err != nil {
				return err
			}
			if api.output == "json" {
				return printJSON(cmd.OutOrStdout(), answer)
			}
			var page struct {
				Frames []struct {
					Seq      uint64    `json:"seq"`
					Topic    string    `json:"topic"`
					Reason   string    `json:"reason"`
					Attempts int       `json:"attempts"`
					ParkedAt time.Time `json:"parked_at"`
				}
			}
			if err := json.Unmarshal(answer, &page); err != nil {
				return err
			}
			t := newTable(cmd.OutOrStdout(), "SEQ", "PARKED AT", "ATTEMPTS", "TOPIC", "REASON")
			for _, f := range page.Frames {
				t.row(f.Seq, when(f.ParkedAt), f.Attempts, f.Topic, f.Reason)
			}
			return t.flush()
		},
	}, "an ID")
	cmd.AddCommand(show,
		newParkedTell(api, "resend", "Publish a parked frame again", http.MethodPost, "/resend"),
		newParkedTell(api, "drop", "Forget a parked frame", http.MethodDelete, ""))
	for _, below := range cmd.Commands() {
		below.ValidArgsFunction = api.completeID
	}
	return cmd
}

func newParkedTell(api *apiFlags, name, short, method, suffix string) *cobra.Command {
	return takes(&cobra.Command{
		Use: name + " ID SEQ", Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := strconv.ParseUint(args[1], 10, 64); err != nil {
				return misuse("SEQ must be a number, got %q", args[1])
			}
			if err := api.ask(cmd.Context(), client.Request{Method: method, Path: one(args[0]) + "/parked/" + args[1] + suffix}, nil); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s of %s requested\n", args[0], name, args[1])
			return err
		},
	}, "an ID", "a SEQ")
}
