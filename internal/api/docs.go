package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var docsText string

// docsPage is a page of its own because those that huma brings load their scripts from elsewhere: this one is read
// where there is no internet.
var docsPage = template.Must(template.New("docs").Parse(docsText))

// described is an operation as the page shows it.
type described struct {
	Method, Path, Summary, Description string
	Parameters                         []*huma.Param
	Body                               string
	Responses                          []response
}

type response struct{ Status, Description, Schema string }

// document serves the description of the API, and a page made of it. Both say what this program can do, which is no
// secret, and are open to everybody.
func (s *Server) document(mux *http.ServeMux, doc *huma.OpenAPI) {
	openAPI, err := json.Marshal(doc)
	if err != nil {
		panic("api: the description does not encode: " + err.Error())
	}
	var page bytes.Buffer
	schemas := map[string]string{}
	for name, schema := range doc.Components.Schemas.Map() {
		text, err := json.MarshalIndent(schema, "", "  ")
		if err != nil {
			panic("api: schema " + name + " does not encode: " + err.Error())
		}
		schemas[name] = string(text)
	}
	if err := docsPage.Execute(&page, map[string]any{"Prefix": Prefix, "Operations": operations(doc), "Schemas": schemas}); err != nil {
		panic("api: the page does not render: " + err.Error())
	}
	serve := func(pattern, contentType string, content []byte) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			if _, err := w.Write(content); err != nil {
				s.options.Log.Debug().Err(err).Msg("http client went away")
			}
		})
	}
	serve("GET /openapi.json", "application/openapi+json", openAPI)
	serve("GET /docs", "text/html; charset=utf-8", page.Bytes())
}

func operations(doc *huma.OpenAPI) []described {
	var all []described
	for path, item := range doc.Paths {
		for method, op := range map[string]*huma.Operation{
			http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put,
			http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
		} {
			if op == nil {
				continue
			}
			d := described{Method: method, Path: path, Summary: op.Summary, Description: op.Description, Parameters: op.Parameters}
			if op.RequestBody != nil {
				d.Body = schemaNames(op.RequestBody.Content)
			}
			for status, r := range op.Responses {
				d.Responses = append(d.Responses, response{status, r.Description, schemaNames(r.Content)})
			}
			slices.SortFunc(d.Responses, func(a, b response) int { return strings.Compare(a.Status, b.Status) })
			all = append(all, d)
		}
	}
	order := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	slices.SortFunc(all, func(a, b described) int {
		if a.Path != b.Path {
			return strings.Compare(a.Path, b.Path)
		}
		return slices.Index(order, a.Method) - slices.Index(order, b.Method)
	})
	return all
}

// schemaNames is what a body may be: type and schema.
func schemaNames(content map[string]*huma.MediaType) string {
	var all []string
	for media, c := range content {
		name := media
		if c.Schema != nil && c.Schema.Ref != "" {
			name += " " + c.Schema.Ref[strings.LastIndexByte(c.Schema.Ref, '/')+1:]
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
