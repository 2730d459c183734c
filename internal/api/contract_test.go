package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// description is /openapi.json as far as this test reads it.
type description struct {
	OpenAPI    string                                      `json:"openapi"`
	Paths      map[string]map[string]describedOperation    `json:"paths"`
	Components struct{ Schemas map[string]map[string]any } `json:"components"`
}

type describedOperation struct {
	OperationID string `json:"operationId"`
	Parameters  []struct {
		Name, In, Description string
		Required              bool
	} `json:"parameters"`
	RequestBody *struct{ Content map[string]any }                  `json:"requestBody"`
	Responses   map[string]struct{ Content map[string]described2 } `json:"responses"`
}

type described2 struct{ Schema map[string]any }

// bodies are what to send to the operations that take something.
var bodies = map[string]string{
	"create-connection":  `{"uri": "mqtt://h", "filter": "f", "topic_up": "t"}`,
	"replace-connection": `{"uri": "mqtts://h", "filter": "f", "topic_up": "t", "description": "d"}`,
	"change-connection":  `{"description": "d"}`,
	"replay-connection":  `{"from": "2026-01-01T00:00:00Z"}`,
}

// conforms returns what of a value is not as the schema has it.
func (d *description) conforms(at string, schema map[string]any, v any) (wrong []string) {
	if ref, ok := schema["$ref"].(string); ok {
		schema = d.Components.Schemas[ref[strings.LastIndexByte(ref, '/')+1:]]
		if schema == nil {
			return []string{at + ": " + ref + " is nowhere"}
		}
	}
	types := map[string]bool{}
	switch t := schema["type"].(type) {
	case string:
		types[t] = true
	case []any:
		for _, one := range t {
			types[one.(string)] = true
		}
	default: // anything
		return nil
	}
	is := map[bool]string{true: "object"}[false]
	switch value := v.(type) {
	case nil:
		is = "null"
	case string:
		is = "string"
		if schema["format"] == "date-time" {
			if _, err := time.Parse(time.RFC3339, value); err != nil {
				wrong = append(wrong, fmt.Sprintf("%s: %v", at, err))
			}
		}
	case bool:
		is = "boolean"
	case float64:
		if is = "number"; types["integer"] && value == float64(int64(value)) {
			is = "integer"
		}
	case []any:
		is = "array"
		items, _ := schema["items"].(map[string]any)
		for i, item := range value {
			wrong = append(wrong, d.conforms(fmt.Sprintf("%s[%d]", at, i), items, item)...)
		}
	case map[string]any:
		is = "object"
		wrong = append(wrong, d.object(at, schema, value)...)
	}
	if !types[is] {
		wrong = append(wrong, fmt.Sprintf("%s: is %s, want %v", at, is, schema["type"]))
	}
	if allowed, ok := schema["enum"].([]any); ok && !slices.Contains(allowed, v) {
		wrong = append(wrong, fmt.Sprintf("%s: %v is none of %v", at, v, allowed))
	}
	return wrong
}

func (d *description) object(at string, schema, value map[string]any) (wrong []string) {
	properties, _ := schema["properties"].(map[string]any)
	more, open := schema["additionalProperties"].(map[string]any)
	for name, v := range value {
		switch property, known := properties[name].(map[string]any); {
		case known:
			wrong = append(wrong, d.conforms(at+"."+name, property, v)...)
		case open:
			wrong = append(wrong, d.conforms(at+"."+name, more, v)...)
		default:
			wrong = append(wrong, at+"."+name+": is not described")
		}
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, there := value[name.(string)]; !there {
			wrong = append(wrong, fmt.Sprintf("%s.%s: is missing", at, name))
		}
	}
	return wrong
}

// check judges an answer by the description of the operation.
func (d *description) check(t *testing.T, op describedOperation, what string, got answer) {
	t.Helper()
	r, ok := op.Responses[strconv.Itoa(got.status)]
	if !ok {
		t.Errorf("%s: status %d is not described: %s", what, got.status, got.body)
		return
	}
	if len(r.Content) == 0 && got.body == "" {
		return
	}
	media, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	content, ok := r.Content[media]
	if !ok {
		t.Errorf("%s: %d as %q is not described, only %v", what, got.status, media, slices.Sorted(maps.Keys(r.Content)))
		return
	}
	var v any
	if err := json.Unmarshal([]byte(got.body), &v); err != nil {
		t.Errorf("%s: %v: %s", what, err, got.body)
		return
	}
	for _, w := range d.conforms("body", content.Schema, v) {
		t.Errorf("%s: %d: %s\n%s", what, got.status, w, got.body)
	}
}

// Every operation that is described answers as described: what succeeds, and every way in which it is refused.
func TestContract(t *testing.T) {
	s := newStage(t, nil)
	got := ask(t, s.Server, "GET", "/openapi.json", "")
	d := body[description](t, got)
	if got.status != 200 || !strings.HasPrefix(d.OpenAPI, "3.1") {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for _, op := range []string{
		"GET /connections", "POST /connections", "GET /connections/{id}", "PUT /connections/{id}", "PATCH /connections/{id}", "DELETE /connections/{id}",
		"GET /connections/{id}/status", "GET /connections/{id}/log", "POST /connections/{id}/pause", "POST /connections/{id}/resume",
		"POST /connections/{id}/restart", "POST /connections/{id}/test", "POST /connections/{id}/replay", "GET /nodes",
		"GET /connections/{id}/parked", "POST /connections/{id}/parked/{seq}/resend", "DELETE /connections/{id}/parked/{seq}",
	} {
		method, path, _ := strings.Cut(op, " ")
		if _, there := d.Paths[path][strings.ToLower(method)]; !there {
			t.Errorf("%s is not described", op)
		}
	}
	for name := range descriptions {
		for field, property := range d.Components.Schemas[name]["properties"].(map[string]any) {
			if text, _ := property.(map[string]any)["description"].(string); text == "" {
				t.Errorf("%s.%s is not explained", name, field)
			}
		}
	}
	called := 0
	for path, item := range d.Paths {
		for method, op := range item {
			method = strings.ToUpper(method)
			id := fmt.Sprintf("c%d", called)
			called++
			s.create(id, "")
			at := strings.NewReplacer("{id}", id, "{seq}", "1").Replace(path)
			what := method + " " + path
			sent := request{method: method, path: at, body: bodies[op.OperationID]}
			if (op.RequestBody != nil) != (sent.body != "") {
				t.Errorf("%s: has this test a body for it?", what)
			}
			success := s.do(sent)
			if success.status >= 300 {
				t.Errorf("%s: %d %s", what, success.status, success.body)
			}
			d.check(t, op, what, success)
			with := func(change func(*request)) request { r := sent; change(&r); return r }
			refusals := map[int]request{
				401: with(func(r *request) { r.token = "wrong-0123456789abcdef" }),
				422: with(func(r *request) { r.path += "?colour=red" }),
			}
			if method != "GET" {
				refusals[403] = with(func(r *request) { r.token = reader })
			}
			if strings.Contains(path, "{id}") {
				refusals[404] = with(func(r *request) { r.path = strings.Replace(at, id, "never", 1) })
			}
			if sent.body != "" {
				refusals[413] = with(func(r *request) { r.body += strings.Repeat(" ", maxBody) })
				refusals[415] = with(func(r *request) { r.header = map[string]string{"Content-Type": "text/plain"} })
				refusals[400] = with(func(r *request) { r.body = "{" })
			}
			for status, r := range refusals {
				got := s.do(r)
				if got.status != status {
					t.Errorf("%s: %d, want %d: %s", what, got.status, status, got.body)
				}
				d.check(t, op, what, got)
			}
			for _, p := range op.Parameters {
				if p.Description == "" {
					t.Errorf("%s: parameter %s is not explained", what, p.Name)
				}
			}
		}
	}
	if called < 17 {
		t.Errorf("%d operations", called)
	}
}

// The page needs nothing from elsewhere, and names every operation.
func TestDocs(t *testing.T) {
	s := newStage(t, nil)
	page := ask(t, s.Server, "GET", "/docs", "")
	if page.status != 200 || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Fatalf("%d %v", page.status, page.header)
	}
	for _, elsewhere := range []string{"<script", "<link", "src=", "@import", "url(", `href="http`} {
		text := page.body
		if i := strings.Index(text, elsewhere); i >= 0 {
			t.Errorf("it has %q: …%s…", elsewhere, text[i:min(i+80, len(text))])
		}
	}
	for path := range body[description](t, ask(t, s.Server, "GET", "/openapi.json", "")).Paths {
		if !strings.Contains(page.body, "<code>"+path+"</code>") {
			t.Errorf("it lacks %s", path)
		}
	}
}
