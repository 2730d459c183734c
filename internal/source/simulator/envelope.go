package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"unicode/utf8"
)

// view is how one stream sees a message.
type view struct {
	radio, lora bool
	copy        int  // which gateway's copy
	history     bool // replayed: meta.history is true
	reshuffle   bool // replayed with another key order and spacing
}

// shape of a node.
const (
	scalar = iota
	object
	array
)

// node is a JSON value under its key.
type node struct {
	key   string
	shape int
	text  string // of a scalar, JSON already
	kids  []node
}

func raw(key, text string) node          { return node{key: key, text: text} }
func str(key, v string) node             { return node{key: key, text: quote(v)} }
func obj(key string, kids ...node) node  { return node{key: key, shape: object, kids: kids} }
func list(key string, kids ...node) node { return node{key: key, shape: array, kids: kids} }

// style is a way of writing JSON. Each of them occurs on the wire.
type style struct {
	open, end, colon, comma string
}

var styles = []style{
	{"", "", ":", ","},            // as compact encoders have it
	{"", "", ": ", ", "},          // as Python's json has it
	{" ", " ", " : ", " , "},      // wide
	{"\n  ", "\n", ": ", ",\n  "}, // on lines of their own
}

// pen writes one message.
type pen struct {
	style
	buf     []byte
	r       *rand.Rand
	shuffle bool
	meta    [2]int // where the members of meta begin and end
}

func newPen(buf []byte, seed uint64, reshuffle bool) *pen {
	if reshuffle {
		seed = ^seed
	}
	r := chance(seed, chanceStyle)
	p := &pen{buf: buf, r: r, shuffle: reshuffle || r.IntN(2) == 0}
	switch n := r.IntN(100); {
	case n < 50:
		p.style = styles[0]
	case n < 90:
		p.style = styles[1]
	case n < 98:
		p.style = styles[2]
	default:
		p.style = styles[3]
	}
	return p
}

// render appends the message as the view has it.
func (w *world) render(buf []byte, m *message, v view) []byte {
	p := newPen(buf, m.seed, v.history && v.reshuffle)
	p.write(obj("", w.meta(m, v), obj("params", w.params(m, v)...), str("type", string(m.kind))))
	if v.history {
		p.markHistory()
	}
	return p.buf
}

func (p *pen) write(n node) {
	switch n.shape {
	case scalar:
		p.buf = append(p.buf, n.text...)
	case object:
		if p.shuffle {
			p.r.Shuffle(len(n.kids), func(i, j int) { n.kids[i], n.kids[j] = n.kids[j], n.kids[i] })
		}
		p.members('{', '}', n)
	case array:
		p.members('[', ']', n)
	}
}

func (p *pen) members(open, end byte, n node) {
	p.buf = append(p.buf, open)
	if len(n.kids) == 0 {
		p.buf = append(p.buf, end)
		return
	}
	p.buf = append(p.buf, p.open...)
	begin := len(p.buf)
	for i, kid := range n.kids {
		if i > 0 {
			p.buf = append(p.buf, p.comma...)
		}
		if n.shape == object {
			p.buf = append(append(append(append(p.buf, '"'), kid.key...), '"'), p.colon...)
		}
		p.write(kid)
	}
	if n.key == "meta" {
		p.meta = [2]int{begin, len(p.buf)}
	}
	p.buf = append(append(p.buf, p.style.end...), end)
}

// markHistory inserts meta.history, first or last among meta's members, and touches no other byte.
func (p *pen) markHistory() {
	mark := `"history"` + p.colon + "true"
	if p.r.IntN(2) == 0 {
		p.buf = slices.Insert(p.buf, p.meta[0], []byte(mark+p.comma)...)
	} else {
		p.buf = slices.Insert(p.buf, p.meta[1], []byte(p.comma+mark)...)
	}
}

// quote writes a JSON string (RFC 8259 §7). Bytes that are no UTF-8 become U+FFFD.
func quote(s string) string {
	out := make([]byte, 0, len(s)+2)
	out = append(out, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r == '\n':
			out = append(out, `\n`...)
		case r == '\t':
			out = append(out, `\t`...)
		case r == '\r':
			out = append(out, `\r`...)
		case r < 0x20:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = utf8.AppendRune(out, r)
		}
	}
	return string(append(out, '"'))
}

// Canonical returns the message compact, its keys sorted, its numbers as they were written, and without meta.history:
// the same for a message, its repetitions and its replays, and for nothing else.
func Canonical(frame []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(frame))
	d.UseNumber()
	var envelope map[string]any
	if err := d.Decode(&envelope); err != nil {
		return nil, fmt.Errorf("read a frame of %d bytes as a Data API message: %w", len(frame), err)
	}
	if meta, ok := envelope["meta"].(map[string]any); ok {
		delete(meta, "history")
	}
	return json.Marshal(envelope)
}
