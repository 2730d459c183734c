package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/lorry-mqtt/lorry/internal/client"
)

// urgency is the order of states: what needs somebody first.
var urgency = []string{"misconfigured", "backoff", "connecting", "paused", "connected", "stopped"}

// clearScreen is ECMA-48's CUP and ED.
const clearScreen = "\x1b[H\x1b[2J"

func newTopCommand(environ []string) *cobra.Command {
	api := &apiFlags{}
	var interval time.Duration
	var rows int
	var once bool
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Watch the connections of a running node",
		Long: `Watch the connections of a running node: a line each with state, rate, lag, publishes in flight and last error, those that
need somebody first. It ends when it is interrupted.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if interval < 100*time.Millisecond || rows < 1 {
				return misuse("--interval must be at least 100ms and --rows at least 1")
			}
			c, err := api.open()
			if err != nil {
				return err
			}
			defer c.Close()
			file, isFile := cmd.OutOrStdout().(*os.File)
			t := &top{client: c, out: cmd.OutOrStdout(), rows: rows, clear: isFile && isatty.IsTerminal(file.Fd()) && !once}
			for {
				if err := t.show(cmd.Context()); err != nil {
					if cmd.Context().Err() != nil {
						return nil // it was interrupted
					}
					return err
				}
				if once {
					return nil
				}
				select {
				case <-cmd.Context().Done():
					return nil
				case <-time.After(interval):
				}
			}
		},
	}
	api.add(cmd, environ)
	cmd.Flags().DurationVar(&interval, "interval", 2*time.Second, "how often to look")
	cmd.Flags().IntVar(&rows, "rows", 40, "how many connections to show")
	cmd.Flags().BoolVar(&once, "once", false, "show it once, and end")
	return cmd
}

// top is what was seen last, for the rates.
type top struct {
	client *client.Client
	out    io.Writer
	rows   int
	clear  bool

	seen   map[string]uint64 // acknowledged, by ID
	seenAt time.Time
}

func (t *top) show(ctx context.Context) error {
	var all []listed
	err := list(ctx, t.client, url.Values{}, func(raw json.RawMessage) error {
		var one listed
		if err := json.Unmarshal(raw, &one); err != nil {
			return err
		}
		all = append(all, one)
		return nil
	})
	if err != nil {
		return err
	}
	now := time.Now()
	slices.SortStableFunc(all, func(a, b listed) int {
		return cmp.Or(slices.Index(urgency, a.State)-slices.Index(urgency, b.State), cmp.Compare(b.Lag.Frames, a.Lag.Frames))
	})
	var page bytes.Buffer
	if t.clear {
		page.WriteString(clearScreen)
	}
	fmt.Fprintf(&page, "%s  %s%s\n\n", now.Format("15:04:05"), count(len(all), "connection"), inStates(all))
	rows := newTable(&page, "ID", "STATE", "RATE/S", "LAG", "LAG S", "IN FLIGHT", "LAST ERROR")
	for _, c := range all[:min(len(all), t.rows)] {
		rows.row(c.ID, c.State, t.rate(c, now), c.Lag.Frames, fmt.Sprintf("%.1f", c.Lag.Seconds), c.InFlight, c.LastError)
	}
	if err := rows.flush(); err != nil {
		return err
	}
	if more := len(all) - t.rows; more > 0 {
		fmt.Fprintf(&page, "and %d more\n", more)
	}
	t.seen, t.seenAt = map[string]uint64{}, now
	for _, c := range all {
		t.seen[c.ID] = c.Acknowledged
	}
	_, err = t.out.Write(page.Bytes())
	return err
}

// rate is how many PUBACKs a second came since the last look; unknown at the first, and after the node's start.
func (t *top) rate(c listed, now time.Time) string {
	before, seen := t.seen[c.ID]
	if !seen || c.Acknowledged < before {
		return "-"
	}
	return fmt.Sprintf("%.1f", float64(c.Acknowledged-before)/now.Sub(t.seenAt).Seconds())
}

func inStates(all []listed) string {
	counts := map[string]int{}
	for _, c := range all {
		counts[c.State]++
	}
	var text strings.Builder
	for _, state := range urgency {
		if n := counts[state]; n > 0 {
			fmt.Fprintf(&text, ", %d %s", n, state)
		}
	}
	return text.String()
}
