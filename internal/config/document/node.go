package document

import (
	"slices"
	"strconv"
	"strings"
)

// Kind tells what a Node holds.
type Kind uint8

// The kinds of a Node. Int and Float are numbers by their notation: "1e3" is a Float.
const (
	Null Kind = iota
	Text
	Bool
	Int
	Float
	List
	Map
)

var kindNames = [...]string{"nothing", "text", "true or false", "a whole number", "a fraction", "a list", "a mapping"}

// String returns the kind as a fault's reason says it, such as "a list".
func (k Kind) String() string { return kindNames[k] }

// Node is one value of a document. Aliases and merge keys are resolved: a Node has no other parent than one.
type Node struct {
	Kind   Kind
	Text   string  // of a scalar: its characters, unquoted
	Bare   bool    // a scalar written without quotes where quotes are optional: text may be meant, whatever it looks like
	Items  []*Node // of a List
	Fields []Field // of a Map, in the order written, repeated names included
	Place  Place
}

// Field is one entry of a Map.
type Field struct {
	Name  string
	Value *Node
}

// Place is where a value was written.
type Place struct {
	Source string // a file's name or an environment variable's; empty when there is none to name
	Line   int    // counted from 1; 0 when unknown
}

// Child returns the path of the field name below path, as faults have it: "mqtt" and "keep_alive" give
// "mqtt.keep_alive". A name that is not of letters, digits, "_" and "-" is quoted in brackets, and cut when long.
func Child(path, name string) string {
	const longest = 64
	switch {
	case name == "" || len(name) > longest || strings.ContainsFunc(name, special):
		return path + "[" + strconv.Quote(name[:min(len(name), longest)]) + "]"
	case path == "":
		return name
	}
	return path + "." + name
}

func special(r rune) bool {
	letter := r|0x20 >= 'a' && r|0x20 <= 'z'
	return !letter && (r < '0' || r > '9') && r != '_' && r != '-'
}

// Index returns the path of the element i below path: "connections[2]".
func Index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// Find returns the node at path, or the nearest one above it when the document says nothing at path.
func (n *Node) Find(path string) *Node { return n.find("", path) }

func (n *Node) find(at, path string) *Node {
	for _, f := range n.Fields {
		if p := Child(at, f.Name); within(path, p) {
			return f.Value.find(p, path)
		}
	}
	for i, item := range n.Items {
		if p := Index(at, i); within(path, p) {
			return item.find(p, path)
		}
	}
	return n
}

// within reports whether path is at or below the path outer; all is below the empty one.
func within(path, outer string) bool {
	if outer == "" {
		return true
	}
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// Set puts value at the path of field names, replacing what is there and making the mappings on the way. The last
// of repeated names counts.
func (n *Node) Set(names []string, value *Node) {
	at := n
	for i, name := range names {
		if at.Kind != Map {
			at.Kind, at.Text, at.Items, at.Fields = Map, "", nil, nil
		}
		child := at.last(name)
		if child == nil {
			child = &Node{Place: value.Place}
			at.Fields = append(at.Fields, Field{Name: name, Value: child})
		}
		if i == len(names)-1 {
			*child = *value
		}
		at = child
	}
}

// last returns the value of the last field of that name, nil when there is none.
func (n *Node) last(name string) *Node {
	for _, f := range slices.Backward(n.Fields) {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}
