package config

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lorry-mqtt/lorry/internal/config/document"
	"github.com/lorry-mqtt/lorry/internal/connection"
)

func readDocument(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// examples are the YAML blocks of a Markdown page.
func examples(t *testing.T, name string) []string {
	t.Helper()
	var blocks []string
	for _, match := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(readDocument(t, name), -1) {
		blocks = append(blocks, match[1])
	}
	if len(blocks) == 0 {
		t.Fatalf("%s has no example", name)
	}
	return blocks
}

// Every example that is printed is a configuration that would run as it stands, once the files it names are there.
func TestExamplesAreValid(t *testing.T) {
	for _, name := range []string{"docs/configuration.md", "README.md"} {
		for i, block := range examples(t, name) {
			c, _, err := parse(fmt.Sprintf("%s, example %d", name, i+1), []byte(block), nil)
			if err != nil || len(c.Warnings) > 0 || len(c.Connections) == 0 {
				t.Errorf("%s, example %d: %v, %q, %d connections", name, i+1, err, c.Warnings, len(c.Connections))
			}
		}
	}
}

// entry is what a table says of a key.
type entry struct{ variable, value string }

// tables reads the rows of the configuration page: key, variable (not of connections), default, meaning.
func tables(t *testing.T) map[string]entry {
	t.Helper()
	row := regexp.MustCompile("^\\| `([a-z_.]+)` \\|(?: `(LORRY_[A-Z_]+)` \\|)? (`[^`]*`|required|the node's) \\| \\S.* \\|$")
	rows := map[string]entry{}
	for line := range strings.Lines(readDocument(t, "docs/configuration.md")) {
		match := row.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		switch {
		case match == nil && strings.HasPrefix(line, "| `"):
			t.Errorf("a row that is none: %s", line)
		case match == nil:
		default:
			key := match[1]
			if match[2] == "" {
				key = "connections." + key
			}
			if _, twice := rows[key]; twice {
				t.Errorf("%s has two rows", key)
			}
			rows[key] = entry{match[2], strings.Trim(match[3], "`")}
		}
	}
	return rows
}

// leaves lists the keys of a type that have no keys below them, as variables have them.
func leaves(t reflect.Type, above ...string) []variable {
	all := variablesOf(t, above)
	var out []variable
	for i, v := range all {
		if i+1 == len(all) || len(all[i+1].keys) <= len(v.keys) {
			out = append(out, v)
		}
	}
	return out
}

// written is the value at the keys as a file would have it.
func written(t *testing.T, v any, keys []string) string {
	t.Helper()
	for _, key := range keys {
		v = v.(map[string]any)[key]
	}
	text, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// The page names every key with its variable and its default, and no other.
func TestEveryKeyIsDocumented(t *testing.T) {
	rows := tables(t)
	expect := func(key string, want entry) {
		if rows[key] != want {
			t.Errorf("the row of %s says %+v, want %+v", key, rows[key], want)
		}
		delete(rows, key)
	}
	for _, v := range leaves(reflect.TypeFor[Config]()) {
		if key := strings.Join(v.keys, "."); key != "connections" {
			expect(key, entry{v.name, written(t, document.Revealed(Defaults()), v.keys)})
		}
	}
	byOthers := map[string]string{
		"id": "required", "uri": "required", "filter": "required", "topic_up": "required", "mqtt.client_id": "lorry-ID",
		"source.url": "the node's", "source.access_token": "the node's", "source.history_url": "the node's",
	}
	for _, v := range leaves(reflect.TypeFor[connection.Spec]()) {
		key := strings.Join(v.keys, ".")
		value, ok := byOthers[key]
		if !ok {
			value = written(t, document.Revealed(connection.Defaults()), v.keys)
		}
		expect("connections."+key, entry{"", value})
	}
	for key := range rows {
		t.Errorf("there is no key %s", key)
	}
}

// The example headed "Everything" is everything.
func TestTheFullExampleIsFull(t *testing.T) {
	_, after, found := strings.Cut(readDocument(t, "docs/configuration.md"), "\n## Everything\n")
	_, block, fenced := strings.Cut(after, "```yaml\n")
	block, _, closed := strings.Cut(block, "```\n")
	root, err := document.ParseYAML("", []byte(block))
	if !found || !fenced || !closed || err != nil {
		t.Fatal("no full example", err)
	}
	said := func(n *document.Node, keys []string) bool {
		for _, key := range keys {
			i := -1
			for j, f := range n.Fields {
				if f.Name == key {
					i = j
				}
			}
			if i < 0 {
				return false
			}
			n = n.Fields[i].Value
		}
		return true
	}
	for _, v := range leaves(reflect.TypeFor[Config]()) {
		if !said(root, v.keys) {
			t.Errorf("it lacks %s", strings.Join(v.keys, "."))
		}
	}
	first := root.Find("connections[0]")
	for _, v := range leaves(reflect.TypeFor[connection.Spec]()) {
		if !said(first, v.keys) {
			t.Errorf("its connection lacks %s", strings.Join(v.keys, "."))
		}
	}
}
