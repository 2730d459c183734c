package document

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ParseYAML reads the one YAML document in data; source names it in messages. Aliases and merge keys ("<<") are
// resolved. No document, or an empty one, is a Null node. An error is a *SyntaxError.
func ParseYAML(source string, data []byte) (*Node, error) {
	var root yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	switch err := dec.Decode(&root); {
	case errors.Is(err, io.EOF):
		return &Node{Place: Place{Source: source}}, nil
	case err != nil:
		return nil, yamlError(source, err)
	}
	var second yaml.Node
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, &SyntaxError{Place{source, second.Line}, "a second document begins here: one is expected"}
	case !errors.Is(err, io.EOF):
		return nil, yamlError(source, err)
	}
	r := resolver{source: source, budget: aliasFactor*count(&root) + aliasFree}
	return r.node(&root, 0)
}

// Aliases may make of a document this many times its nodes, and some: enough for a thousand connections that share
// their settings, and an end to a text of a kilobyte that means a gigabyte.
const (
	aliasFactor = 20
	aliasFree   = 10_000
)

func count(n *yaml.Node) int {
	total := 1
	for _, c := range n.Content {
		total += count(c)
	}
	return total
}

// resolver turns the parser's nodes into ours.
type resolver struct {
	source string
	budget int // nodes that may still be made
}

func (r *resolver) fail(n *yaml.Node, reason string) error {
	return &SyntaxError{Place{r.source, n.Line}, reason}
}

func (r *resolver) node(n *yaml.Node, depth int) (*Node, error) {
	if r.budget--; r.budget < 0 {
		return nil, r.fail(n, "aliases make this document too large")
	}
	if depth > maxDepth {
		return nil, r.fail(n, "is nested too deeply, or contains itself through an alias")
	}
	switch n.Kind {
	case yaml.AliasNode:
		target, err := r.node(n.Alias, depth+1)
		if err == nil {
			target.Place.Line = n.Line
		}
		return target, err
	case yaml.DocumentNode:
		return r.node(n.Content[0], depth)
	case yaml.SequenceNode:
		return r.list(n, depth)
	case yaml.MappingNode:
		return r.mapping(n, depth)
	}
	return r.scalar(n)
}

var scalarKinds = map[string]Kind{
	"!!null": Null, "!!str": Text, "!!bool": Bool, "!!int": Int, "!!float": Float, "!!timestamp": Text, "!!merge": Text,
}

func (r *resolver) scalar(n *yaml.Node) (*Node, error) {
	kind, ok := scalarKinds[n.ShortTag()]
	if !ok {
		return nil, r.fail(n, "a value with a tag of its own (!…) has no meaning here; a text that begins with ! needs quotes")
	}
	if kind == Float && !strings.ContainsAny(n.Value, ".eE") { // digits that no integer type holds
		kind = Int
	}
	return &Node{Kind: kind, Text: n.Value, Bare: n.Style == 0, Place: Place{r.source, n.Line}}, nil
}

func (r *resolver) list(n *yaml.Node, depth int) (*Node, error) {
	list := &Node{Kind: List, Place: Place{r.source, n.Line}}
	for _, c := range n.Content {
		item, err := r.node(c, depth+1)
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, item)
	}
	return list, nil
}

func (r *resolver) mapping(n *yaml.Node, depth int) (*Node, error) {
	m := &Node{Kind: Map, Place: Place{r.source, n.Line}}
	var merged []*yaml.Node
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			return nil, r.fail(key, "a key must be a plain text")
		}
		if key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		child, err := r.node(value, depth+1)
		if err != nil {
			return nil, err
		}
		child.Place.Line = key.Line
		m.Fields = append(m.Fields, Field{Name: key.Value, Value: child})
	}
	for _, value := range merged {
		if err := r.merge(m, value, depth+1); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// merge adds to m the fields of value that m lacks (https://yaml.org/type/merge.html): of a mapping, or of each
// mapping in a list, the earlier before the later.
func (r *resolver) merge(m *Node, value *yaml.Node, depth int) error {
	from, err := r.node(value, depth)
	if err != nil {
		return err
	}
	sources := []*Node{from}
	if from.Kind == List {
		sources = from.Items
	}
	present := map[string]bool{}
	for _, f := range m.Fields {
		present[f.Name] = true
	}
	for _, s := range sources {
		if s.Kind != Map {
			return r.fail(value, "<< takes a mapping, or a list of mappings")
		}
		for _, f := range s.Fields {
			if !present[f.Name] {
				m.Fields = append(m.Fields, f)
			}
		}
		for _, f := range s.Fields {
			present[f.Name] = true
		}
	}
	return nil
}

// yamlError turns the library's "yaml: line 3: reason" into a SyntaxError. The library leaves the line out when it is
// the first, and may name the one before.
func yamlError(source string, err error) error {
	reason := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if rest, ok := strings.CutPrefix(reason, "line "); ok {
		if number, after, ok := strings.Cut(rest, ": "); ok {
			if n, err := parseInt(number); err == nil {
				line, reason = int(n), after
			}
		}
	}
	if strings.HasPrefix(reason, "unknown anchor") { // the library quotes what follows the *: it may be a password
		reason = "an alias (*…) names no anchor; a text that begins with * needs quotes"
	}
	return &SyntaxError{Place{source, line}, "is not YAML: " + reason}
}
