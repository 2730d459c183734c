package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/eventlog"
)

// maxEvent is the longest line of an event stream in bytes.
const maxEvent = 1 << 20

// Follow calls each with what is in a connection's log and then with each event as it happens, until ctx ends, the
// connection is deleted, or each returns an error.
func (c *Client) Follow(ctx context.Context, id string, each func(eventlog.Event) error) error {
	response, err := c.send(ctx, Request{
		Method: http.MethodGet, Path: "/connections/" + url.PathEscape(id) + "/log", Header: map[string]string{"Accept": "text/event-stream"},
	})
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(response.Body, maxEvent))
		if err != nil {
			return fmt.Errorf("read the answer of %s: %w", c.base.Host, err)
		}
		return refusal(response.StatusCode, body)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, maxEvent)
	for lines.Scan() {
		data, found := strings.CutPrefix(lines.Text(), "data: ")
		if !found {
			continue
		}
		var e eventlog.Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return fmt.Errorf("an event of %s is not lorry's: %w", c.base.Host, err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil // it was to end
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("follow the log of connection %q: %w", id, err)
	}
	return nil
}
