package dataapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// tree is a JSON value as the tests see it: nothing that was written is lost but spacing and escapes.
type tree struct {
	kind   byte     // { [ " or 0
	scalar string   // a string's decoded value; a number or literal as written
	keys   []string // of an object, as long as values
	values []tree   // of an object or array
}

// parse reads raw with encoding/json. It reports false for what encoding/json refuses.
func parse(raw []byte) (tree, bool) {
	if !json.Valid(raw) {
		return tree{}, false
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return parseNext(d), true
}

func parseNext(d *json.Decoder) tree {
	token, err := d.Token()
	if err != nil {
		panic(err) // not after json.Valid
	}
	switch token := token.(type) {
	case string:
		return tree{kind: '"', scalar: token}
	case json.Delim:
		t := tree{kind: byte(token)}
		for d.More() {
			if t.kind == '{' {
				t.keys = append(t.keys, parseNext(d).scalar)
			}
			t.values = append(t.values, parseNext(d))
		}
		_, _ = d.Token()
		return t
	case nil:
		return tree{scalar: "null"}
	default:
		return tree{scalar: fmt.Sprint(token)}
	}
}

// depth returns how many objects and arrays are open at once in t.
func (t tree) depth() int {
	if t.kind != '{' && t.kind != '[' {
		return 0
	}
	deepest := 0
	for _, v := range t.values {
		deepest = max(deepest, v.depth())
	}
	return 1 + deepest
}

// essence returns what Identify is to tell apart, as text: the second opinion on the canonical form.
func (t tree) essence(path string) string {
	var parts []string
	switch t.kind {
	case '"':
		return fmt.Sprintf("%q", t.scalar)
	case 0:
		return t.scalar
	case '[':
		for _, v := range t.values {
			parts = append(parts, v.essence(path+"[]"))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	order := make([]int, 0, len(t.keys))
	for i, key := range t.keys {
		if path != "/meta" || key != "history" {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(t.keys[a], t.keys[b]) })
	for _, i := range order {
		parts = append(parts, fmt.Sprintf("%q:%s", t.keys[i], t.values[i].essence(path+"/"+t.keys[i])))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// style decides what a message's sender may decide without saying anything else: order, spacing, escapes.
type style struct {
	order  func(n int) []int           // a permutation of n keys
	space  func() string               // between tokens
	escape func(r rune) (string, bool) // of a character that needs none
}

// plain is the style of encoding/json.
var plain = style{
	order: func(n int) []int {
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		return order
	},
	space:  func() string { return "" },
	escape: func(rune) (string, bool) { return "", false },
}

func (t tree) write(b *strings.Builder, s style) {
	b.WriteString(s.space())
	switch t.kind {
	case '"':
		writeString(b, t.scalar, s)
	case 0:
		b.WriteString(t.scalar)
	default:
		order := plain.order(len(t.values))
		if t.kind == '{' {
			order = keepEqualKeysInOrder(t.keys, s.order(len(t.keys)))
		}
		b.WriteByte(t.kind)
		for i, at := range order {
			if i > 0 {
				b.WriteString(",")
			}
			if t.kind == '{' {
				b.WriteString(s.space())
				writeString(b, t.keys[at], s)
				b.WriteString(s.space() + ":")
			}
			t.values[at].write(b, s)
		}
		b.WriteString(s.space())
		b.WriteByte(t.kind + 2) // } ]
	}
	b.WriteString(s.space())
}

func (t tree) text(s style) []byte {
	var b strings.Builder
	t.write(&b, s)
	return []byte(b.String())
}

func writeString(b *strings.Builder, text string, s style) {
	b.WriteByte('"')
	for _, r := range text {
		if escaped, ok := s.escape(r); ok {
			b.WriteString(escaped)
		} else if r < ' ' || r == '"' || r == '\\' {
			fmt.Fprintf(b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

// keepEqualKeysInOrder restores the order among equal keys, which counts.
func keepEqualKeysInOrder(keys []string, order []int) []int {
	kept := slices.Clone(order)
	places := map[string][]int{}
	for place, at := range order {
		places[keys[at]] = append(places[keys[at]], place)
	}
	for at, key := range keys {
		kept[places[key][0]] = at
		places[key] = places[key][1:]
	}
	return kept
}

func TestTreeRoundTrip(t *testing.T) {
	for name, raw := range fixtures(t) {
		message, ok := parse(raw)
		if !ok {
			t.Fatalf("%s is not JSON", name)
		}
		again, _ := parse(message.text(plain))
		if message.essence("") != again.essence("") {
			t.Errorf("%s: wrote %s", name, message.text(plain))
		}
	}
}
