package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/registry"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/messages"
)

// Connection is a connection as the API shows it: as its owner wrote it, secrets masked.
type Connection connection.Spec

// Listed is a connection in a list, with what it is doing.
type Listed struct {
	Connection
	Summary
	LastError string `json:"last_error" doc:"Why it is in backoff or misconfigured; else empty"`
	Static    bool   `json:"static" doc:"It is in the node's configuration file, and read-only here"`
	ETag      string `json:"etag" doc:"Its revision, for If-Match"`
}

// ByID is the path of an operation on one connection.
type ByID struct {
	ID string `path:"id" doc:"The connection's id"`
}

type listInput struct {
	Limit  int      `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most"`
	Cursor string   `query:"cursor" doc:"Where the page before ended: its next"`
	State  []string `query:"state,explode" enum:"connecting,connected,backoff,paused,misconfigured,stopped" doc:"Only those in this state, or one of these"`
	Tag    []string `query:"tag,explode" doc:"Only those with this tag, NAME=VALUE, and all of these"`
}

// Page is one page of a list.
type Page struct {
	Connections []Listed `json:"connections"`
	Next        string   `json:"next,omitempty" doc:"The cursor of the next page, if there is one"`
}

type listOutput struct {
	Link string `header:"Link" doc:"The next page (RFC 8288)"`
	Body Page
}

type connectionOutput struct {
	ETag string `header:"ETag" doc:"The connection's revision, for If-Match"`
	Body Connection
}

type statusOutput struct{ Body messages.Status }

func (m *management) connections() {
	huma.Register(m.api, operation(http.MethodGet, "/connections", "list-connections", "List connections",
		"By id. Each connection comes with what it is doing."), m.list)
	huma.Register(m.api, operation(http.MethodGet, "/connections/{id}", "get-connection", "Get a connection",
		"As it was written, with defaults for what was left out and secrets masked as `***`.", http.StatusNotFound), m.get)
	huma.Register(m.api, operation(http.MethodGet, "/connections/{id}/status", "get-status", "Get a connection's status",
		"What both ends are doing, and since when; what is behind; what was counted.", http.StatusNotFound), m.status)
}

// find returns a connection that the bearer may know of. To it there are no others.
func (m *management) find(ctx context.Context, id string) (*registry.Entry, error) {
	e, err := m.service(ctx).Registry.Get(id)
	if err != nil {
		return nil, m.failed(err)
	}
	if !asking(ctx).sees(e.Spec.Tags) {
		return nil, m.failed(fmt.Errorf("connection %q: %w", id, registry.ErrNotFound))
	}
	return e, nil
}

func (m *management) list(ctx context.Context, in *listInput) (*listOutput, error) {
	wanted, err := tagsOf(in.Tag)
	if err != nil {
		return nil, err
	}
	service, who := m.service(ctx), asking(ctx)
	all := service.Registry.List()
	from, found := slices.BinarySearchFunc(all, in.Cursor, func(e *registry.Entry, id string) int { return strings.Compare(e.Spec.ID, id) })
	if found {
		from++
	}
	out := &listOutput{Body: Page{Connections: []Listed{}}}
	for _, e := range all[from:] {
		if !who.sees(e.Spec.Tags) || !hasTags(e.Spec.Tags, wanted) {
			continue
		}
		summary := service.Runner.Summary(e.Spec.ID)
		if len(in.State) > 0 && !slices.Contains(in.State, string(summary.State)) {
			continue
		}
		if n := len(out.Body.Connections); n == in.Limit {
			out.Body.Next = out.Body.Connections[n-1].ID
			out.Link = next(in, out.Body.Next)
			break
		}
		out.Body.Connections = append(out.Body.Connections, Listed{
			Connection(e.Spec), summary, service.lastError(e.Spec.ID, summary.State), e.Static, m.etag(e),
		})
	}
	return out, nil
}

// lastError is why a connection is in a state that has a reason.
func (s *Service) lastError(id string, state telemetry.State) string {
	if state != telemetry.Backoff && state != telemetry.Misconfigured {
		return ""
	}
	return s.Events.LastError(id)
}

// next is the link to the page behind the cursor.
func next(in *listInput, cursor string) string {
	query := url.Values{"limit": {strconv.Itoa(in.Limit)}, "cursor": {cursor}}
	if len(in.State) > 0 {
		query["state"] = in.State
	}
	if len(in.Tag) > 0 {
		query["tag"] = in.Tag
	}
	return "<" + Prefix + "/connections?" + query.Encode() + `>; rel="next"`
}

func tagsOf(filters []string) (map[string]string, error) {
	tags := map[string]string{}
	for i, filter := range filters {
		name, value, found := strings.Cut(filter, "=")
		if !found || name == "" {
			return nil, huma.Error422UnprocessableEntity("the filter has faults", &huma.ErrorDetail{
				Location: "query.tag[" + strconv.Itoa(i) + "]", Message: "must be NAME=VALUE, such as customer=acme",
			})
		}
		tags[name] = value
	}
	return tags, nil
}

func hasTags(tags, wanted map[string]string) bool {
	for name, value := range wanted {
		if has, found := tags[name]; !found || has != value {
			return false
		}
	}
	return true
}

func (m *management) get(ctx context.Context, in *ByID) (*connectionOutput, error) {
	e, err := m.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return m.shown(e), nil
}

func (m *management) shown(e *registry.Entry) *connectionOutput {
	return &connectionOutput{ETag: m.etag(e), Body: Connection(e.Spec)}
}

// started tells the static connections of one process from those of the next, which may have read another file.
var started = strconv.FormatInt(time.Now().UnixNano(), 36)

// etag is a connection's entity tag (RFC 9110 §8.8.3).
func (m *management) etag(e *registry.Entry) string {
	if e.Static {
		return `"static-` + started + `"`
	}
	return `"` + strconv.FormatUint(e.Revision, 10) + `"`
}

func (m *management) status(ctx context.Context, in *ByID) (*statusOutput, error) {
	e, err := m.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &statusOutput{m.service(ctx).Runner.Status(e.Spec.ID)}, nil
}
