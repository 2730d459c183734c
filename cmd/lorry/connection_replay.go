package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/lorry-mqtt/lorry/internal/client"
)

// replayPoll is how often a node is asked how far a replay is.
const replayPoll = 500 * time.Millisecond

func newReplayCommand(api *apiFlags) *cobra.Command {
	var from, to string
	var dryRun, detach bool
	cmd := takes(&cobra.Command{
		Use: "replay ID --from T", Short: "Deliver a stretch of time again",
		Long: `Deliver what is stored of a stretch of time again, at a bounded rate, besides what is delivered live. Times are RFC 3339,
such as 2026-01-31T08:00:00Z, or a duration that counts back from now, such as 15m. It shows how far it is, and ends
when all is delivered; --detach ends it at once. What is interrupted here goes on there.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			request := map[string]any{"dry_run": dryRun}
			for _, bound := range []struct{ name, text string }{{"from", from}, {"to", to}} {
				if bound.text == "" && bound.name == "to" {
					continue
				}
				at, err := moment(bound.text)
				if err != nil {
					return misuse("--%s: %w", bound.name, err)
				}
				request[bound.name] = at
			}
			body, err := json.Marshal(request)
			if err != nil {
				return err
			}
			var answer json.RawMessage
			r := client.Request{Method: http.MethodPost, Path: one(args[0]) + "/replay", Type: "application/json", Body: body}
			if err := api.ask(cmd.Context(), r, &answer); err != nil {
				return err
			}
			if api.output == "json" {
				return printJSON(cmd.OutOrStdout(), answer)
			}
			var counted struct{ Frames int }
			if err := json.Unmarshal(answer, &counted); err != nil {
				return err
			}
			what := "are delivered again"
			if dryRun {
				what = "would be delivered again"
			}
			if _, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", count(counted.Frames, "frame"), what); err != nil || dryRun || detach {
				return err
			}
			return api.followReplay(cmd.Context(), args[0], newProgress(cmd.ErrOrStderr()))
		},
	}, "an ID")
	cmd.Flags().StringVar(&from, "from", "", "begin of the stretch, a `time` or how long ago")
	cmd.Flags().StringVar(&to, "to", "", "end of the stretch, a `time` or how long ago; now unless told")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "count the frames, and deliver nothing")
	cmd.Flags().BoolVar(&detach, "detach", false, "do not wait for its end")
	cmd.ValidArgsFunction = api.completeID
	return cmd
}

// followReplay shows how far the replay of a connection is until it is over.
func (f *apiFlags) followReplay(ctx context.Context, id string, p *progress) error {
	c, err := f.open()
	if err != nil {
		return err
	}
	defer c.Close()
	for {
		var status struct {
			Replay *struct{ Frames, Delivered uint64 }
		}
		if _, err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: one(id) + "/status"}, &status); err != nil {
			return err
		}
		if status.Replay == nil {
			p.end()
			return nil
		}
		p.show(status.Replay.Delivered, status.Replay.Frames)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(replayPoll):
		}
	}
}

// progress is a bar on a terminal, and a line for each tenth elsewhere.
type progress struct {
	out   io.Writer
	bar   bool
	tenth uint64
}

func newProgress(out io.Writer) *progress {
	file, isFile := out.(*os.File)
	return &progress{out: out, bar: isFile && isatty.IsTerminal(file.Fd())}
}

func (p *progress) show(done, all uint64) {
	if all == 0 {
		return // not counted yet
	}
	if p.bar {
		const width = 40
		full := int(done * width / all)
		_, _ = fmt.Fprintf(p.out, "\r[%s%s] %3d %% %d of %d", strings.Repeat("#", full), strings.Repeat(" ", width-full), done*100/all, done, all)
	} else if tenth := done * 10 / all; tenth > p.tenth {
		p.tenth = tenth
		_, _ = fmt.Fprintf(p.out, "%d %% %d of %d\n", tenth*10, done, all)
	}
}

func (p *progress) end() {
	if p.bar {
		_, _ = fmt.Fprint(p.out, "\r\x1b[Kdelivered\n")
	} else {
		_, _ = fmt.Fprintln(p.out, "delivered")
	}
}

// moment reads a time, or how long ago it was.
func moment(text string) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return time.Now().Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, errors.New("must be a time as RFC 3339 has it, such as 2026-01-31T08:00:00Z, or how long ago, such as 15m")
	}
	return at, nil
}
