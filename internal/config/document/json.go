package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseJSON reads the one JSON value in data (RFC 8259); source names it in messages. An error is a *SyntaxError.
func ParseJSON(source string, data []byte) (*Node, error) {
	p := &jsonParser{source: source, data: data}
	if !utf8.Valid(data) {
		return nil, p.fail("is not JSON: is not UTF-8")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			p.advance(int(syntax.Offset))
		}
		return nil, p.fail("is not JSON: " + err.Error())
	}
	p.dec = json.NewDecoder(bytes.NewReader(data))
	p.dec.UseNumber()
	root, err := p.value(0)
	if err != nil {
		return nil, err
	}
	return root, nil
}

// jsonParser builds nodes from tokens: unlike json.Unmarshal into maps it sees lines and repeated names.
type jsonParser struct {
	source string
	data   []byte
	dec    *json.Decoder
	offset int // up to which line is counted
	line   int // newlines before offset
}

// advance counts lines up to the offset.
func (p *jsonParser) advance(offset int) {
	offset = min(max(offset, p.offset), len(p.data))
	p.line += bytes.Count(p.data[p.offset:offset], []byte{'\n'})
	p.offset = offset
}

func (p *jsonParser) place() Place { return Place{p.source, p.line + 1} }

func (p *jsonParser) fail(reason string) error { return &SyntaxError{p.place(), reason} }

func (p *jsonParser) token() (json.Token, error) {
	token, err := p.dec.Token()
	if err != nil {
		return nil, p.fail("is not JSON: " + err.Error())
	}
	p.advance(int(p.dec.InputOffset()))
	return token, nil
}

func (p *jsonParser) value(depth int) (*Node, error) {
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, p.fail("is nested too deeply")
	}
	n := &Node{Place: p.place()}
	switch t := token.(type) {
	case json.Delim:
		return n, p.children(n, t, depth)
	case string:
		n.Kind, n.Text = Text, t
	case bool:
		n.Kind, n.Text = Bool, strconv.FormatBool(t)
	case json.Number:
		n.Kind, n.Text = Int, t.String()
		if strings.ContainsAny(n.Text, ".eE") {
			n.Kind = Float
		}
	}
	return n, nil
}

// children reads the elements or fields that the delimiter opens, and the delimiter that closes them.
func (p *jsonParser) children(n *Node, open json.Delim, depth int) error {
	n.Kind = List
	if open == '{' {
		n.Kind = Map
	}
	for p.dec.More() {
		var name string
		if n.Kind == Map {
			token, err := p.token()
			if err != nil {
				return err
			}
			name, _ = token.(string) // a valid object has no other names
		}
		child, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		if n.Kind == Map {
			n.Fields = append(n.Fields, Field{Name: name, Value: child})
		} else {
			n.Items = append(n.Items, child)
		}
	}
	_, err := p.token()
	return err
}
