package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
)

// problem is an error answer.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Errors []struct {
		Message, Location string
	} `json:"errors"`
}

// refusal asks, and expects a problem of that status.
func (s *stage) refusal(status int, r request) problem {
	s.t.Helper()
	got := s.want(status, r)
	p := body[problem](s.t, got)
	if got.header.Get("Content-Type") != "application/problem+json" || p.Status != status || p.Title != http.StatusText(status) || p.Detail == "" {
		s.t.Errorf("%s %s: %+v", r.method, r.path, got)
	}
	return p
}

// 401, and nothing else: no body, no hint whether there is such a path.
func TestWithoutAToken(t *testing.T) {
	s := newStage(t, nil)
	s.create("acme", "")
	for _, r := range []request{
		{method: "GET", path: "/connections"}, {method: "GET", path: "/connections/acme"}, {method: "GET", path: "/nothing"},
		{method: "POST", path: "/connections", body: written("x", "")}, {method: "BREW", path: "/connections"}, {method: "GET", path: "/nodes"},
	} {
		r.token = "wrong-0123456789abcdef"
		got := s.do(r)
		if got.status != http.StatusUnauthorized || got.body != "" || got.header.Get("WWW-Authenticate") != `Bearer realm="lorry"` || len(got.header) != 3 {
			t.Errorf("%s %s: %+v", r.method, r.path, got)
		}
	}
}

func TestScopes(t *testing.T) {
	s := newStage(t, nil)
	s.create("acme", "")
	for _, path := range []string{"/connections", "/connections/acme", "/connections/acme/status", "/connections/acme/log", "/nodes", "/connections/acme/parked"} {
		s.want(200, request{method: "GET", path: path, token: reader})
	}
	for _, r := range []request{
		{method: "POST", path: "/connections", body: written("x", "")},
		{method: "PUT", path: "/connections/acme", body: written("acme", "")},
		{method: "PATCH", path: "/connections/acme", body: "{}"},
		{method: "DELETE", path: "/connections/acme"},
		{method: "POST", path: "/connections/acme/pause"},
		{method: "POST", path: "/connections/acme/test"},
		{method: "POST", path: "/connections/acme/replay", body: `{"from": "2026-01-01T00:00:00Z"}`},
		{method: "DELETE", path: "/connections/acme/parked/1"},
	} {
		r.token = reader
		s.refusal(http.StatusForbidden, r)
	}
}

// To a token with a tag there are no connections but those with the tag.
func TestTags(t *testing.T) {
	s := newStage(t, nil)
	s.create("mine", `, "tags": {"customer": "acme"}`)
	s.create("other", `, "tags": {"customer": "beta"}`)
	s.create("none", "")
	s.runner.set("mine", "connected")
	s.runner.set("other", "connected")
	if p := body[page](t, s.want(200, request{method: "GET", path: "/connections", token: acme})); len(p.Connections) != 1 || p.Connections[0].ID != "mine" {
		t.Errorf("sees %+v", p)
	}
	if n := body[NodeList](t, s.want(200, request{method: "GET", path: "/nodes", token: acme})); fmt.Sprint(n.Nodes[0].Connections) != "[mine]" {
		t.Errorf("nodes %+v", n)
	}
	never := s.refusal(404, request{method: "GET", path: "/connections/never", token: acme})
	for _, id := range []string{"other", "none"} {
		for _, r := range []request{
			{method: "GET", path: ""}, {method: "GET", path: "/status"}, {method: "GET", path: "/log"}, {method: "GET", path: "/parked"},
			{method: "PUT", path: "", body: written(id, `, "tags": {"customer": "acme"}`)}, {method: "PATCH", path: "", body: `{"tags": {"customer": "acme"}}`},
			{method: "DELETE", path: ""}, {method: "POST", path: "/pause"}, {method: "POST", path: "/resume"}, {method: "POST", path: "/restart"},
			{method: "POST", path: "/test"}, {method: "POST", path: "/replay", body: `{"from": "2026-01-01T00:00:00Z"}`},
			{method: "POST", path: "/parked/1/resend"}, {method: "DELETE", path: "/parked/1"},
		} {
			r.path, r.token = "/connections/"+id+r.path, acme
			if p := s.refusal(404, r); strings.ReplaceAll(p.Detail, id, "never") != never.Detail {
				t.Errorf("%s %s tells more than of one that never was: %s", r.method, r.path, p.Detail)
			}
		}
	}
	for _, r := range []request{
		{method: "POST", path: "/connections", body: written("x", "")},
		{method: "POST", path: "/connections", body: written("x", `, "tags": {"customer": "beta"}`)},
		{method: "PUT", path: "/connections/mine", body: written("mine", "")},
		{method: "PATCH", path: "/connections/mine", body: `{"tags": {"customer": "beta"}}`},
		{method: "PATCH", path: "/connections/mine", body: `{"tags": null}`},
	} {
		r.token = acme
		if p := s.refusal(http.StatusForbidden, r); len(p.Errors) != 1 || p.Errors[0].Location != "body.tags.customer" {
			t.Errorf("%s %s: %+v", r.method, r.path, p)
		}
	}
	s.want(201, request{method: "POST", path: "/connections", token: acme, body: written("second", `, "tags": {"customer": "acme"}`)})
	s.want(200, request{method: "PATCH", path: "/connections/mine", token: acme, body: `{"description": "x"}`})
	if got := ask(t, s.Server, "GET", "/metrics", "Bearer "+acme); got.status != http.StatusForbidden {
		t.Errorf("metrics: %+v", got)
	}
}

func TestNotFoundAndNotAllowed(t *testing.T) {
	s := newStage(t, nil)
	for _, r := range []request{
		{method: "GET", path: "/connections/none"}, {method: "GET", path: "/connections/none/status"}, {method: "GET", path: "/connections/none/log"},
		{method: "DELETE", path: "/connections/none"}, {method: "PATCH", path: "/connections/none", body: "{}"},
		{method: "PUT", path: "/connections/none", body: written("none", "")}, {method: "POST", path: "/connections/none/pause"},
		{method: "GET", path: "/nothing"}, {method: "GET", path: "/connections/a/b/c/d"},
	} {
		s.refusal(404, r)
	}
	s.refusal(http.StatusMethodNotAllowed, request{method: "DELETE", path: "/connections"})
}

func TestConflict(t *testing.T) {
	s := newStage(t, nil)
	s.create("acme", "")
	s.refusal(409, request{method: "POST", path: "/connections", body: written("acme", "")})
}

func TestIfMatch(t *testing.T) {
	s := newStage(t, nil)
	old := s.create("acme", "").header.Get("ETag")
	now := s.want(200, request{method: "PATCH", path: "/connections/acme", body: `{"description": "x"}`, header: map[string]string{"If-Match": `"0", ` + old}}).header.Get("ETag")
	for _, r := range []request{
		{method: "PUT", path: "/connections/acme", body: written("acme", "")},
		{method: "PATCH", path: "/connections/acme", body: "{}"},
		{method: "DELETE", path: "/connections/acme"},
	} {
		for _, stale := range []string{old, "W/" + now, strings.Trim(now, `"`), `""`} {
			r.header = map[string]string{"If-Match": stale}
			s.refusal(http.StatusPreconditionFailed, r)
		}
	}
	s.want(204, request{method: "DELETE", path: "/connections/acme", header: map[string]string{"If-Match": now}})
}

func TestTooLarge(t *testing.T) {
	s := newStage(t, nil)
	s.refusal(http.StatusRequestEntityTooLarge, request{method: "POST", path: "/connections", body: written("acme", `, "description": "`+strings.Repeat("x", maxBody)+`"`)})
}

func TestContentTypes(t *testing.T) {
	s := newStage(t, nil)
	s.create("acme", "")
	for _, contentType := range []string{"application/x-www-form-urlencoded", "text/plain", "", "application/merge-patch+json", "application/json;", "multipart/form-data"} {
		r := request{method: "POST", path: "/connections", body: written("beta", ""), header: map[string]string{"Content-Type": contentType}}
		if contentType == "application/json;" { // is the type without parameters
			s.want(201, r)
			continue
		}
		s.refusal(http.StatusUnsupportedMediaType, r)
	}
	s.want(200, request{method: "PUT", path: "/connections/acme", body: written("acme", ""), header: map[string]string{"Content-Type": "application/json; charset=utf-8"}})
	s.refusal(http.StatusUnsupportedMediaType, request{method: "PATCH", path: "/connections/acme", body: "{}", header: map[string]string{"Content-Type": "application/json-patch+json"}})
}

// Every fault is named at once, and no secret with it.
func TestFaultyFields(t *testing.T) {
	s := newStage(t, nil)
	s.create("acme", "")
	faulty := `{"id": "Ä", "uri": "http://u:` + password + `@h", "filter": "", "topic_up": "a/#", "colour": "red", "mqtt": {"max_inflight": "many", "keep_alive": "1s"}, "tags": {"a": 1}}`
	want := []string{"body.colour", "body.filter", "body.id", "body.mqtt.keep_alive", "body.mqtt.max_inflight", "body.tags.a", "body.topic_up", "body.uri"}
	p := s.refusal(422, request{method: "POST", path: "/connections", body: faulty})
	var got []string
	for _, e := range p.Errors {
		got = append(got, e.Location)
		if e.Message == "" || strings.Contains(e.Message, password) {
			t.Errorf("%+v", e)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("named %v, want %v", got, want)
	}
	for patch, location := range map[string]string{
		`{"colour": null}`: "body.colour", `{"mqtt": {"max_inflight": 0}}`: "body.mqtt.max_inflight", `{"id": "beta"}`: "body.id",
		`{"topic_down": "lora/#"}`: "body.topic_down", `{"uri": "mqtt://u:***@h", "uri": "mqtt://h"}`: "body.uri",
		`{"source": {"access_token": "***"}}`: "body.source.access_token",
	} {
		p := s.refusal(422, request{method: "PATCH", path: "/connections/acme", body: patch})
		if !slices.ContainsFunc(p.Errors, func(e struct{ Message, Location string }) bool { return e.Location == location }) {
			t.Errorf("%s: %+v", patch, p)
		}
	}
	for _, malformed := range []string{"{", "", "nonsense", `{"a": 1} {}`} {
		s.refusal(400, request{method: "POST", path: "/connections", body: malformed, header: map[string]string{"Content-Type": "application/json"}})
	}
	s.refusal(422, request{method: "PATCH", path: "/connections/acme", body: "[]"})
	s.refusal(422, request{method: "POST", path: "/connections", body: written("x", `, "uri": "mqtt://u:***@h"`)})
}

func TestTooManyRequests(t *testing.T) {
	s := newStage(t, func(o *Options, _ *Service) { o.Rate, o.Burst = 1e-9, 3 })
	for range 3 {
		s.want(200, request{method: "GET", path: "/connections"})
	}
	s.refusal(http.StatusTooManyRequests, request{method: "GET", path: "/connections"})
	s.want(200, request{method: "GET", path: "/connections", token: reader}) // another bearer
	began := time.Now()
	refused := 0
	for range 3 * failedBurst {
		if got := s.do(request{method: "GET", path: "/connections", token: "guess-0123456789abcdef"}); got.status == http.StatusTooManyRequests && got.body == "" {
			refused++
		}
	}
	if allowed := 3*failedBurst - refused; allowed > failedBurst+int(failedRate*time.Since(began).Seconds())+1 {
		t.Errorf("%d guesses were allowed", allowed)
	}
}

// held is a prober whose tests last until they are let go.
type held struct{ begun, letGo chan struct{} }

func (h held) Probe(context.Context, connection.Spec) ProbeReport {
	h.begun <- struct{}{}
	<-h.letGo
	return ProbeReport{Broker: []ProbeStage{}, Source: []ProbeStage{}}
}

func TestTooManyTests(t *testing.T) {
	prober := held{make(chan struct{}), make(chan struct{})}
	s := newStage(t, func(_ *Options, service *Service) { service.Prober = prober })
	s.create("acme", "")
	var tests sync.WaitGroup
	for range maxTests {
		tests.Go(func() {
			if got := s.do(request{method: "POST", path: "/connections/acme/test"}); got.status != 200 {
				t.Errorf("%+v", got)
			}
		})
		<-prober.begun
	}
	s.refusal(http.StatusTooManyRequests, request{method: "POST", path: "/connections/acme/test"})
	s.refusal(http.StatusTooManyRequests, request{method: "POST", path: "/connections?dry_run=true", body: written("beta", "")})
	close(prober.letGo)
	tests.Wait()
}

// A page of another site cannot use what its visitor may do.
func TestOtherSites(t *testing.T) {
	s := newStage(t, func(o *Options, _ *Service) { o.Tokens = nil })
	s.create("acme", "")
	s.refusal(http.StatusForbidden, request{method: "POST", path: "/connections/acme/pause", header: map[string]string{"Sec-Fetch-Site": "cross-site"}})
	s.refusal(http.StatusForbidden, request{method: "DELETE", path: "/connections/acme", header: map[string]string{"Origin": "https://evil.example"}})
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Address()+Prefix+"/connections", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Host, q.Close = "rebound.evil.example", true
	response, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("a name that leads here: %d", response.StatusCode)
	}
}

func TestBeforeTheNodeIsUp(t *testing.T) {
	s := &stage{t: t, Server: start(t, options())}
	s.refusal(http.StatusServiceUnavailable, request{method: "GET", path: "/connections"})
}
