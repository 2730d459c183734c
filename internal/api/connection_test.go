package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

func TestAConnectionsLife(t *testing.T) {
	s := newStage(t, nil)
	created := s.create("acme", `, "tags": {"customer": "acme"}, "websocket": {"headers": {}}`)
	if created.header.Get("Location") != "/api/v1/connections/acme" || created.header.Get("ETag") == "" {
		t.Errorf("%+v", created)
	}
	got := s.want(200, request{method: "GET", path: "/connections/acme"})
	if got.body != created.body || got.header.Get("ETag") != created.header.Get("ETag") || !strings.Contains(got.body, `"uri":"mqtts://user:***@broker.example"`) {
		t.Errorf("read as %+v\nwas created as %+v", got, created)
	}
	// What was read can be written back, and nothing of it changes.
	put := s.want(200, request{method: "PUT", path: "/connections/acme", body: got.body, header: map[string]string{"If-Match": got.header.Get("ETag")}})
	if put.body != got.body || put.header.Get("ETag") == got.header.Get("ETag") {
		t.Errorf("written back as %+v\nwas %+v", put, got)
	}
	e, err := s.service.Registry.Get("acme")
	if err != nil || e.Spec.URI.Reveal() != "mqtts://user:"+password+"@broker.example" {
		t.Error("the mask replaced the password")
	}
	patched := s.want(200, request{method: "PATCH", path: "/connections/acme", body: `{"description": "new", "mqtt": {"max_inflight": 7}, "tags": {"a": "b"}}`,
		header: map[string]string{"Content-Type": "application/merge-patch+json"}})
	c := body[map[string]any](t, patched)
	if c["description"] != "new" || c["mqtt"].(map[string]any)["max_inflight"] != 7.0 || c["mqtt"].(map[string]any)["keep_alive"] != "30s" ||
		!reflect.DeepEqual(c["tags"], map[string]any{"customer": "acme", "a": "b"}) {
		t.Errorf("patched: %s", patched.body)
	}
	patched = s.want(200, request{method: "PATCH", path: "/connections/acme", body: `{"description": null, "tags": {"a": null}, "mqtt": null}`})
	c = body[map[string]any](t, patched)
	if c["description"] != "" || c["mqtt"].(map[string]any)["max_inflight"] != 100.0 || !reflect.DeepEqual(c["tags"], map[string]any{"customer": "acme"}) {
		t.Errorf("patched with null: %s", patched.body)
	}
	if e, err := s.service.Registry.Get("acme"); err != nil || !strings.Contains(e.Spec.URI.Reveal(), password) {
		t.Error("a patch lost the password")
	}
	s.want(204, request{method: "DELETE", path: "/connections/acme"})
	s.want(404, request{method: "GET", path: "/connections/acme"})
}

func TestAnIDIsMade(t *testing.T) {
	s := newStage(t, nil)
	got := s.want(201, request{method: "POST", path: "/connections", body: `{"uri": "mqtt://h", "filter": "f", "topic_up": "t"}`})
	id := body[Listed2](t, got).ID
	if id == "" || got.header.Get("Location") != Prefix+"/connections/"+id {
		t.Errorf("%+v", got)
	}
	s.want(200, request{method: "GET", path: "/connections/" + id})
}

// Listed2 is what a test reads of a connection.
type Listed2 struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Static bool   `json:"static"`
	URI    string `json:"uri"`
}

type page struct {
	Connections []Listed2 `json:"connections"`
	Next        string    `json:"next"`
}

func TestListsArePagedAndFiltered(t *testing.T) {
	static := connection.Defaults()
	static.ID, static.Filter, static.TopicUp, static.URI = "a-static", "f", "t", connection.NewURI("mqtt://u:"+password+"@h")
	s := newStage(t, nil, static)
	for i := range 25 {
		s.create(fmt.Sprintf("c%02d", i), fmt.Sprintf(`, "tags": {"customer": "n%d", "even": "%v"}`, i%5, i%2 == 0))
	}
	s.runner.set("c03", telemetry.Backoff)
	s.runner.set("c04", telemetry.Paused)

	ids := func(query string) (all []string) {
		path := "/connections?" + query
		for pages := 1; ; pages++ {
			got := s.want(200, request{method: "GET", path: path})
			p := body[page](t, got)
			for _, c := range p.Connections {
				all = append(all, c.ID)
			}
			link := got.header.Get("Link")
			if (p.Next == "") != (link == "") || pages > 30 {
				t.Fatalf("%s: next %q, link %q", path, p.Next, link)
			}
			if link == "" {
				return all
			}
			target, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
			path = strings.TrimPrefix(target, Prefix)
		}
	}
	if got := ids("limit=7"); len(got) != 26 || got[0] != "a-static" || got[25] != "c24" {
		t.Errorf("all: %v", got)
	}
	for query, want := range map[string]string{
		"state=backoff":                                   "[c03]",
		"state=backoff&state=paused&limit=1":              "[c03 c04]",
		"state=misconfigured":                             "[]",
		"tag=" + url.QueryEscape("customer=n3"):           "[c03 c08 c13 c18 c23]",
		"limit=2&tag=customer%3Dn3&tag=even%3Dtrue":       "[c08 c18]",
		"tag=customer%3Dn3&state=backoff":                 "[c03]",
		"cursor=c22":                                      "[c23 c24]",
		"cursor=c22x":                                     "[c23 c24]",
		"limit=3&cursor=c20&state=connected&state=paused": "[c21 c22 c23 c24]",
	} {
		if got := fmt.Sprint(ids(query)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	first := body[page](t, s.want(200, request{method: "GET", path: "/connections?limit=1"})).Connections[0]
	if !first.Static || first.State != "connected" || first.URI != "mqtt://u:***@h" {
		t.Errorf("%+v", first)
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=x", "state=happy", "tag=acme", "colour=red"} {
		s.want(422, request{method: "GET", path: "/connections?" + query})
	}
}

func TestStaticConnectionsAreReadOnly(t *testing.T) {
	static := connection.Defaults()
	static.ID, static.Filter, static.TopicUp, static.URI = "fixed", "f", "t", connection.NewURI("mqtt://h")
	s := newStage(t, nil, static)
	got := s.want(200, request{method: "GET", path: "/connections/fixed"})
	for _, r := range []request{
		{method: "PUT", path: "/connections/fixed", body: got.body},
		{method: "PATCH", path: "/connections/fixed", body: `{"description": "x"}`},
		{method: "DELETE", path: "/connections/fixed"},
		{method: "POST", path: "/connections", body: written("fixed", "")},
	} {
		s.want(http.StatusConflict, r)
	}
	s.want(202, request{method: "POST", path: "/connections/fixed/pause"}) // is no change of its configuration
}

func TestDryRun(t *testing.T) {
	s := newStage(t, nil)
	got := s.want(200, request{method: "POST", path: "/connections?dry_run=true", body: written("acme", "")})
	if r := body[DryRunRead](t, got); r.Test == nil || !r.Test.OK || r.Connection.ID != "acme" || strings.Contains(got.body, password) {
		t.Errorf("%s", got.body)
	}
	s.want(404, request{method: "GET", path: "/connections/acme"})
	s.want(422, request{method: "POST", path: "/connections?dry_run=true", body: `{"uri": "x"}`})
	s.create("acme", "")
	s.want(409, request{method: "POST", path: "/connections?dry_run=true", body: written("acme", "")})
}

// DryRunRead is what a test reads of a dry run.
type DryRunRead struct {
	Connection Listed2      `json:"connection"`
	Test       *ProbeReport `json:"test"`
}

func TestCommands(t *testing.T) {
	s := newStage(t, nil)
	s.create("acme", "")
	for _, name := range []string{"pause", "resume", "restart"} {
		s.want(202, request{method: "POST", path: "/connections/acme/" + name})
		e, err := s.service.Registry.Get("acme")
		if err != nil || e.Paused != (name == "pause") {
			t.Errorf("after %s: %+v, %v", name, e, err)
		}
	}
	if len(s.runner.restarts) != 1 || s.runner.restarts[0] != "acme" {
		t.Errorf("restarts %v", s.runner.restarts)
	}
	var told []string
	for _, e := range s.service.Events.Last("acme") {
		told = append(told, e.Message)
	}
	if fmt.Sprint(told) != "[created by request paused by request resumed by request restarted by request]" {
		t.Errorf("log %q", told)
	}
	replay := s.want(200, request{method: "POST", path: "/connections/acme/replay", body: `{"from": "2026-01-01T00:00:00Z", "dry_run": true}`})
	if r := body[ReplayAnswer](t, replay); r.Frames != 7 || !r.DryRun {
		t.Errorf("%s", replay.body)
	}
	s.want(202, request{method: "POST", path: "/connections/acme/replay", body: `{"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}`})
	s.want(422, request{method: "POST", path: "/connections/acme/replay", body: `{"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}`})
	s.want(422, request{method: "POST", path: "/connections/acme/replay", body: `{"from": "yesterday"}`})
	if r := body[ProbeReport](t, s.want(200, request{method: "POST", path: "/connections/acme/test"})); !r.OK || len(r.Broker) != 1 || r.Broker[0].Name != "dns" {
		t.Errorf("%+v", r)
	}
	parked := body[ParkedPage](t, s.want(200, request{method: "GET", path: "/connections/acme/parked?limit=2"}))
	if len(parked.Frames) != 2 || parked.Next != 2 {
		t.Errorf("%+v", parked)
	}
	s.want(202, request{method: "POST", path: "/connections/acme/parked/1/resend"})
	s.want(204, request{method: "DELETE", path: "/connections/acme/parked/1"})
	s.want(404, request{method: "DELETE", path: "/connections/acme/parked/9"})
}

// A node without these parts says so.
func TestWhatANodeLacks(t *testing.T) {
	s := newStage(t, func(_ *Options, service *Service) { service.Prober, service.Replayer, service.Parked = nil, nil, nil })
	s.create("acme", "")
	for _, r := range []request{
		{method: "POST", path: "/connections/acme/test"},
		{method: "POST", path: "/connections/acme/replay", body: `{"from": "2026-01-01T00:00:00Z"}`},
		{method: "GET", path: "/connections/acme/parked"},
	} {
		s.want(http.StatusNotImplemented, r)
	}
	got := s.want(200, request{method: "POST", path: "/connections?dry_run=true", body: written("beta", "")})
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(got.body), &raw); err != nil || string(raw["test"]) != "null" {
		t.Errorf("%s", got.body)
	}
}
