package document_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/config/document"
)

func TestSyntaxErrors(t *testing.T) {
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	for _, c := range []struct {
		p          parser
		text, want string
	}{
		{yamlParser, "a: b\nc: [\n", "f:2: is not YAML: did not find expected node content"},
		{yamlParser, "a: b: c", "f: is not YAML: mapping values are not allowed in this context"},
		{yamlParser, "a: *hunter2", "f: is not YAML: an alias (*…) names no anchor; a text that begins with * needs quotes"},
		{yamlParser, "a: 1\n---\nb: 2", "f:2: a second document begins here: one is expected"},
		{yamlParser, "a: !secret x", "f:1: a value with a tag of its own (!…) has no meaning here; a text that begins with ! needs quotes"},
		{yamlParser, "a: !!binary aGk=", "f:1: a value with a tag of its own (!…) has no meaning here; a text that begins with ! needs quotes"},
		{yamlParser, "a: 1\n[1, 2]: x", "f:2: a key must be a plain text"},
		{yamlParser, "{[1, 2]: x}", "f:1: a key must be a plain text"},
		{yamlParser, "<<: 3", "f:1: << takes a mapping, or a list of mappings"},
		{yamlParser, "a: &x [*x]", "f:1: is nested too deeply, or contains itself through an alias"},
		{yamlParser, deep, "f:1: is nested too deeply, or contains itself through an alias"},
		{yamlParser, "a: \x01", "f: is not YAML: control characters are not allowed"},
		{yamlParser, "\xff", "f: is not YAML: "},
		{yamlParser, bomb(), "aliases make this document too large"},
		{jsonParser, "{\n\"a\": 1,\n}", "f:3: is not JSON: invalid character '}' looking for beginning of object key string"},
		{jsonParser, "", "f:1: is not JSON: unexpected end of JSON input"},
		{jsonParser, "{} {}", "f:1: is not JSON: invalid character '{' after top-level value"},
		{jsonParser, "\"\xff\"", "f:1: is not JSON: is not UTF-8"},
		{jsonParser, "\n" + deep, "f:2: is nested too deeply"},
		{jsonParser, strings.Repeat("[", 20_000), "is not JSON: "},
	} {
		n, err := c.p.parse("f", []byte(c.text))
		syntax, ok := errors.AsType[*document.SyntaxError](err)
		if !ok || !strings.Contains(err.Error(), c.want) || n != nil {
			t.Errorf("%s %.60q:\ngot  %v\nwant %s", c.p.name, c.text, err, c.want)
			continue
		}
		if strings.Contains(syntax.Reason, "hunter2") {
			t.Errorf("%s %q: the error quotes the value: %v", c.p.name, c.text, err)
		}
	}
}

// bomb is a text of a kilobyte that means ten to the ninth nodes.
func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	return b.String()
}

func TestEmptyDocuments(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "~", "null"} {
		n, err := document.ParseYAML("f", []byte(text))
		if err != nil || n.Kind != document.Null {
			t.Errorf("%q: %+v, %v", text, n, err)
		}
	}
}

func TestAliasesAndMergeKeys(t *testing.T) {
	const text = `
text: &t shared
map: &m {a: "1", b: "2"}
tokens: {<<: *m, b: "3", c: *t}
parts:
  - &p {name: x, on: false}
  - {<<: *p, name: y}
  - {name: z, <<: [{name: w, on: false}, {on: true}]}
`
	var w whole
	if faults := yamlParser.decode(t, text, &w); len(faults) > 0 {
		t.Fatal(faults)
	}
	if w.Tokens["a"].Reveal() != "1" || w.Tokens["b"].Reveal() != "3" || w.Tokens["c"].Reveal() != "shared" || len(w.Tokens) != 3 {
		t.Errorf("tokens: %d", len(w.Tokens))
	}
	want := []part{{"x", false}, {"y", false}, {"z", false}}
	for i, p := range want {
		if w.Parts[i] != p {
			t.Errorf("parts[%d] = %+v, want %+v", i, w.Parts[i], p)
		}
	}
}

func TestFindAndSet(t *testing.T) {
	const text = `a:
  b: 1
  "c.d": 2
list:
  - x: 1
  -
    y: 2
`
	n, err := document.ParseYAML("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	lines := func(want map[string]int) {
		t.Helper()
		for path, line := range want {
			if got := n.Find(path).Place.Line; got != line {
				t.Errorf("%s is on line %d, want %d", path, got, line)
			}
		}
	}
	lines(map[string]int{"a": 1, "a.b": 2, "a.b.c": 2, "a.x": 1, `a["c.d"]`: 3, "list[0].x": 5, "list[1].y": 7, "list[1].z": 7, "list[7]": 4})

	n.Set([]string{"a", "b"}, &document.Node{Kind: document.Int, Text: "5", Place: document.Place{Source: "E"}})
	n.Set([]string{"new", "deep"}, &document.Node{Kind: document.Text, Text: "v", Place: document.Place{Source: "E"}})
	n.Set([]string{"list", "key"}, &document.Node{Kind: document.Text, Text: "w", Place: document.Place{Source: "E"}})
	for path, text := range map[string]string{"a.b": "5", "new.deep": "v", "list.key": "w"} {
		if got := n.Find(path); got.Text != text || got.Place.Source != "E" {
			t.Errorf("%s = %+v, want %s", path, got, text)
		}
	}
	lines(map[string]int{`a["c.d"]`: 3})
}

func TestJSONLines(t *testing.T) {
	n, err := document.ParseJSON("f", []byte("{\n\"a\": {\n\"b\": [1,\n2]}\n}"))
	if err != nil {
		t.Fatal(err)
	}
	for path, line := range map[string]int{"": 1, "a": 2, "a.b": 3, "a.b[0]": 3, "a.b[1]": 4} {
		if got := n.Find(path).Place.Line; got != line {
			t.Errorf("%s is on line %d, want %d", path, got, line)
		}
	}
}
