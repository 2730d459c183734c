package config

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/config/document"
)

const envPrefix = "LORRY_"

// ofCommandLine are variables of the command line, not of the configuration.
var ofCommandLine = []string{"LORRY_SERVER", "LORRY_TOKEN"}

// variable is an environment variable and the key that it sets.
type variable struct {
	name string
	keys []string
	typ  reflect.Type
}

// variables returns one for each key of the configuration, the sections before the keys in them.
func variables() []variable {
	return variablesOf(reflect.TypeFor[Config](), nil)
}

func variablesOf(t reflect.Type, above []string) []variable {
	var all []variable
	for _, f := range document.Fields(t) {
		keys := append(slices.Clone(above), document.Name(f))
		all = append(all, variable{envPrefix + strings.ToUpper(strings.Join(keys, "_")), keys, f.Type})
		if f.Type.Kind() == reflect.Struct && !isText(f.Type) {
			all = append(all, variablesOf(f.Type, keys)...)
		}
	}
	return all
}

func isText(t reflect.Type) bool {
	return t.Kind() == reflect.String || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// override puts the environment's values into the document, and returns a warning for each variable that begins as
// ours do and is none: a misspelling, or what Kubernetes sets for a service named lorry.
func override(root *document.Node, env []string) (warnings []string, err error) {
	given := map[string]string{}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, envPrefix) {
			given[name] = value
		}
	}
	for _, v := range variables() {
		value, ok := given[v.name]
		if !ok {
			continue
		}
		delete(given, v.name)
		n, err := v.node(value)
		if err != nil {
			return nil, err
		}
		root.Set(v.keys, n)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(ofCommandLine, name) {
			warnings = append(warnings, fmt.Sprintf("environment variable %s is no setting and was ignored", name))
		}
	}
	return warnings, nil
}

// node makes of a variable's value what a file would have: text as it is, a list of texts from commas, all else by
// YAML.
func (v variable) node(value string) (*document.Node, error) {
	place := document.Place{Source: v.name}
	text := func(s string) *document.Node { return &document.Node{Kind: document.Text, Text: s, Place: place} }
	switch {
	case isText(v.typ):
		return text(value), nil
	case v.typ.Kind() == reflect.Slice && isText(v.typ.Elem()):
		list := &document.Node{Kind: document.List, Place: place}
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list.Items = append(list.Items, text(part))
			}
		}
		return list, nil
	case strings.TrimSpace(value) == "": // YAML would take it for "not said" and the file's value would be gone
		return text(""), nil
	}
	n, err := document.ParseYAML(v.name, []byte(value))
	if err == nil && !strings.Contains(value, "\n") {
		n.Place.Line = 0 // of one
	}
	return n, err
}
