package document_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/config/document"
	"github.com/lorry-mqtt/lorry/internal/fault"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

type span time.Duration

func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil {
		return errors.New("must be a span")
	}
	*s = span(d)
	return nil
}

// part has a default of its own.
type part struct {
	Name string `yaml:"name"`
	On   bool   `yaml:"on"`
}

func (p *part) UnmarshalDocument(n *document.Node) fault.List {
	type plain part
	*p = part{On: true}
	return n.Decode((*plain)(p))
}

type whole struct {
	Text   string                   `yaml:"text"`
	Yes    bool                     `yaml:"yes"`
	Count  int                      `yaml:"count"`
	Big    int64                    `yaml:"big"`
	Token  secret.String            `yaml:"token"`
	Span   span                     `yaml:"span"`
	List   []string                 `yaml:"list"`
	Map    map[string]string        `yaml:"map"`
	Tokens map[string]secret.String `yaml:"tokens"`
	Parts  []part                   `yaml:"parts"`
	Inner  struct {
		Deep int `yaml:"deep"`
	} `yaml:"inner"`
	Hidden string `yaml:"-"`
	Own    string
}

type parser struct {
	name  string
	parse func(string, []byte) (*document.Node, error)
}

var (
	yamlParser = parser{"YAML", document.ParseYAML}
	jsonParser = parser{"JSON", document.ParseJSON}
)

func (p parser) decode(t *testing.T, text string, into any) fault.List {
	t.Helper()
	n, err := p.parse("", []byte(text))
	if err != nil {
		t.Fatalf("%s %s: %v", p.name, text, err)
	}
	return n.Decode(into)
}

const all = `{
  "text": "t", "yes": true, "count": -7, "big": 9000000000, "token": "hunter2", "span": "1m30s",
  "list": ["a", "b"], "map": {"k": "v"}, "tokens": {"h": "s"}, "inner": {"deep": 3},
  "parts": [{"name": "x"}, {"on": false}]
}`

func TestDecodesTheSameOfBothLanguages(t *testing.T) {
	for _, p := range []parser{yamlParser, jsonParser} {
		var w whole
		if faults := p.decode(t, all, &w); len(faults) > 0 {
			t.Errorf("%s: %v", p.name, faults)
		}
		if w.Text != "t" || !w.Yes || w.Count != -7 || w.Big != 9000000000 || w.Token.Reveal() != "hunter2" ||
			time.Duration(w.Span) != 90*time.Second || !slices.Equal(w.List, []string{"a", "b"}) || w.Map["k"] != "v" ||
			w.Tokens["h"].Reveal() != "s" || w.Inner.Deep != 3 ||
			!slices.Equal(w.Parts, []part{{"x", true}, {"", false}}) {
			t.Errorf("%s: %+v", p.name, w)
		}
	}
}

func TestWhatIsNotSaidKeepsItsValue(t *testing.T) {
	for _, p := range []parser{yamlParser, jsonParser} {
		for _, text := range []string{`{}`, `{"text": null, "count": null, "list": null, "map": null, "inner": null}`, `null`} {
			w := whole{Text: "t", Count: 1, List: []string{"a"}, Map: map[string]string{"k": "v"}}
			w.Inner.Deep = 5
			if faults := p.decode(t, text, &w); len(faults) > 0 {
				t.Errorf("%s %s: %v", p.name, text, faults)
			}
			if w.Text != "t" || w.Count != 1 || len(w.List) != 1 || len(w.Map) != 1 || w.Inner.Deep != 5 {
				t.Errorf("%s %s: %+v", p.name, text, w)
			}
		}
	}
	w := whole{List: []string{"a"}, Map: map[string]string{"k": "v"}}
	if faults := jsonParser.decode(t, `{"list": [], "map": {"n": null}}`, &w); len(faults) > 0 || len(w.List) != 0 || len(w.Map) != 0 {
		t.Errorf("lists and maps are not replaced: %+v, %v", w, faults)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct{ text, path, reason string }{
		{`{"text": ["a"]}`, "text", "must be text, is a list"},
		{`{"text": {"a": 1}}`, "text", "must be text, is a mapping"},
		{`{"yes": "true"}`, "yes", "must be true or false, is text"},
		{`{"yes": 1}`, "yes", "must be true or false, is a whole number"},
		{`{"count": "1"}`, "count", "must be a whole number, is text"},
		{`{"count": 1.5}`, "count", "must be a whole number, is a fraction"},
		{`{"count": 1e3}`, "count", "must be a whole number, is a fraction"},
		{`{"big": 99999999999999999999}`, "big", ""},
		{`{"token": ["hunter2"]}`, "token", "must be text, is a list"},
		{`{"span": "hunter2"}`, "span", "must be a span"},
		{`{"list": "hunter2"}`, "list", "must be a list, is text"},
		{`{"list": ["a", null]}`, "list[1]", "is empty"},
		{`{"map": ["a"]}`, "map", "must be a mapping, is a list"},
		{`{"map": {"k": []}}`, "map.k", "must be text, is a list"},
		{`{"map": {"a.b": []}}`, `map["a.b"]`, "must be text, is a list"},
		{`{"inner": 3}`, "inner", "must be a mapping, is a whole number"},
		{`{"inner": {"deep": "x"}}`, "inner.deep", "must be a whole number, is text"},
		{`{"inner": {"depp": 3}}`, "inner.depp", "is unknown; known here: deep"},
		{`{"parts": [{}, {"naem": "x"}]}`, "parts[1].naem", "is unknown; known here: name, on"},
		{`{"parts": [3]}`, "parts[0]", "must be a mapping, is a whole number"},
		{`{"Text": "t"}`, "Text", "is unknown; known here: text, yes, count, big, token, span, list, map, tokens, parts, inner"},
		{`{"hidden": "t"}`, "hidden", ""},
		{`{"-": "t"}`, "-", ""},
		{`{"": "t"}`, `[""]`, ""},
		{`{"own": "t"}`, "own", ""},
		{"{\"text\": \"t\",\n\"text\": \"u\"}", "text", "is given more than once, again on line 2"},
		{`{"map": {"k": "1", "k": "2"}}`, "map.k", "is given more than once, again on line 1"},
		{`["hunter2"]`, "", "must be a mapping, is a list"},
	} {
		for _, p := range []parser{yamlParser, jsonParser} {
			var w whole
			faults := p.decode(t, c.text, &w)
			if len(faults) != 1 || faults[0].Path != c.path || c.reason != "" && faults[0].Reason != c.reason {
				t.Errorf("%s %s:\ngot  %q\nwant %q", p.name, c.text, faults, c.path+": "+c.reason)
			}
			if strings.Contains(faults.Error(), "hunter2") {
				t.Errorf("%s %s: the fault quotes the value: %v", p.name, c.text, faults)
			}
		}
	}
}

func TestEveryFaultAtOnce(t *testing.T) {
	for _, p := range []parser{yamlParser, jsonParser} {
		var w whole
		faults := p.decode(t, `{"text": [], "x": 1, "inner": {"deep": "a", "y": 2}, "parts": [{"z": 1}], "count": 4}`, &w)
		paths := make([]string, len(faults))
		for i, f := range faults {
			paths[i] = f.Path
		}
		if !slices.Equal(paths, []string{"text", "x", "inner.deep", "inner.y", "parts[0].z"}) || w.Count != 4 {
			t.Errorf("%s: %v", p.name, faults)
		}
	}
}

// YAML needs no quotes, so what looks like a number may be meant as text; JSON is explicit.
func TestBareTexts(t *testing.T) {
	for _, text := range []string{"590e8", "12345678901234567890123", "0x1F", "true", "2026-01-02", "1.50", "yes", "~x"} {
		var w whole
		if faults := yamlParser.decode(t, "text: "+text, &w); len(faults) > 0 || w.Text != text {
			t.Errorf("YAML %s = %q, %v", text, w.Text, faults)
		}
		if faults := yamlParser.decode(t, "token: "+text, &w); len(faults) > 0 || w.Token.Reveal() != text {
			t.Errorf("YAML secret %s = %q, %v", text, w.Token.Reveal(), faults)
		}
	}
	for _, text := range []string{"59", "1.5", "true"} {
		var w whole
		faults := jsonParser.decode(t, `{"text": `+text+`}`, &w)
		if len(faults) != 1 || !strings.Contains(faults[0].Reason, "put it in quotes") {
			t.Errorf("JSON %s = %q, %v", text, w.Text, faults)
		}
	}
	var w whole
	if faults := yamlParser.decode(t, "count: 1_000_000\nyes: True\ntext: !!str 1", &w); len(faults) > 0 || w.Count != 1e6 || !w.Yes || w.Text != "1" {
		t.Errorf("%+v, %v", w, faults)
	}
}

func TestMerge(t *testing.T) {
	decoding := fault.List{{Path: "a.b", Reason: "d"}, {Path: "l[1]", Reason: "d"}}
	validating := fault.List{{Path: "a.b", Reason: "v"}, {Path: "a.b.c", Reason: "v"}, {Path: "a.bc", Reason: "v"},
		{Path: "a", Reason: "v"}, {Path: "l[1].x", Reason: "v"}, {Path: "l[11]", Reason: "v"}}
	got := document.Merge(decoding, validating)
	want := fault.List{decoding[0], decoding[1], validating[2], validating[3], validating[5]}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := document.Merge(fault.List{{Reason: "d"}}, validating); len(got) != 1 {
		t.Errorf("nothing decoded, yet %v", got)
	}
}
