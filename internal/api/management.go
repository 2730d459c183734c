package api

import (
	"bytes"
	"context"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/rs/zerolog"
)

// Prefix is where the management API lies.
const Prefix = "/api/v1"

const (
	// maxBody is the largest request body in bytes: a connection with a long chain of certificates is less.
	maxBody = 256 << 10
	// bodyTimeout bounds how long a client may take to send it.
	bodyTimeout = 10 * time.Second
)

const (
	jsonType  = "application/json"
	patchType = "application/merge-patch+json"
)

// management is the operations of the management API.
type management struct {
	server *Server
	log    zerolog.Logger
	api    huma.API
	tests  chan struct{} // holds one for each that is under way
}

// maxTests is how many tests of connections may be under way: each holds sockets for as long as half a minute.
const maxTests = 8

// manage puts the management API, its description and its page in the mux.
func (s *Server) manage(mux *http.ServeMux) {
	inner := http.NewServeMux()
	config := huma.DefaultConfig("lorry", "1")
	config.Info.Description = "Connections from a LoRaWAN Network Server to customers' MQTT brokers."
	config.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	config.Servers = []*huma.Server{{URL: Prefix}}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"bearer": {Type: "http", Scheme: "bearer"}}
	config.Security = []map[string][]string{{"bearer": {}}}
	config.RejectUnknownQueryParameters = true
	// Its own documents are served elsewhere, and answers carry no links to them.
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	config.Formats = map[string]huma.Format{jsonType: huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}
	m := &management{server: s, log: s.options.Log, tests: make(chan struct{}, maxTests), api: humago.NewWithPrefix(inner, Prefix, config)}
	m.api.UseMiddleware(m.ready, m.scope, m.contentType)
	m.connections()
	m.writes()
	m.commands()
	m.parkedFrames()
	m.events()
	m.nodes()
	m.describe()

	mux.Handle("/api/", s.guarded(s.problems(inner)))
	s.document(mux, m.api.OpenAPI())
}

type serviceKey struct{}

// service is what the operations work on. It is there: ready has seen to it.
func (m *management) service(ctx context.Context) *Service {
	service, _ := ctx.Value(serviceKey{}).(*Service)
	return service
}

// ready answers 503 while the node starts.
func (m *management) ready(ctx huma.Context, next func(huma.Context)) {
	service := m.server.service.Load()
	if service == nil {
		m.answer(ctx, http.StatusServiceUnavailable, "the node is starting")
		return
	}
	ctx.SetHeader("Cache-Control", "no-store")
	next(huma.WithValue(ctx, serviceKey{}, service))
}

// scope lets a bearer that may only look do nothing else.
func (m *management) scope(ctx huma.Context, next func(huma.Context)) {
	if ctx.Method() != http.MethodGet && !asking(ctx.Context()).Admin {
		m.answer(ctx, http.StatusForbidden, "this token is of scope read: changes need scope admin")
		return
	}
	next(ctx)
}

// contentType refuses bodies of another type than the operation takes.
func (m *management) contentType(ctx huma.Context, next func(huma.Context)) {
	body := ctx.Operation().RequestBody
	given := ctx.Header("Content-Type")
	request, _ := humago.Unwrap(ctx)
	if body == nil || given == "" && request.ContentLength == 0 {
		next(ctx)
		return
	}
	media, _, err := mime.ParseMediaType(given)
	if _, taken := body.Content[media]; err != nil || !taken {
		wanted := jsonType
		if body.Content[patchType] != nil {
			wanted = patchType
		}
		m.answer(ctx, http.StatusUnsupportedMediaType, "the body must be "+wanted+": send it with Content-Type: "+wanted)
		return
	}
	next(ctx)
}

func (m *management) answer(ctx huma.Context, status int, detail string) {
	_ = huma.WriteErr(m.api, ctx, status, detail) // the client has gone, then
}

// operation is what huma is told of one; more statuses are those of its own refusals.
func operation(method, path, id, summary, description string, more ...int) huma.Operation {
	return huma.Operation{
		Method: method, Path: path, OperationID: id, Summary: summary, Description: description,
		MaxBodyBytes: maxBody, BodyReadTimeout: bodyTimeout,
		Errors: append([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity,
			http.StatusTooManyRequests, http.StatusServiceUnavailable}, more...),
	}
}

// problems turns the mux's own answers, that there is no such path or method, into problems.
func (s *Server) problems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		refusal := &captured{header: http.Header{}}
		handler.ServeHTTP(refusal, r)
		if allow := refusal.header.Get("Allow"); allow != "" {
			w.Header().Set("Allow", allow)
		}
		s.problem(w, refusal.status, strings.ToLower(strings.TrimSpace(refusal.text.String())))
	})
}

// captured holds an answer that is not sent as it is.
type captured struct {
	header http.Header
	status int
	text   bytes.Buffer
}

func (c *captured) Header() http.Header         { return c.header }
func (c *captured) WriteHeader(status int)      { c.status = status }
func (c *captured) Write(p []byte) (int, error) { return c.text.Write(p) }
