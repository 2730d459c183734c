package dataapi

import (
	"bytes"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// checked is a message that passed check, or as much of one as a scanner has passed, so that reading it needs to look for
// no fault. Its append methods write what begins at offset i in canonical form and return the extended out and the
// offset behind what they read.
//
// The canonical form is equal for equal messages and different for different ones:
//
//	object  '{' member… '}', a member being its key's string and its value; sorted by key,
//	        members of equal keys in the order written; without meta.history
//	array   '[' value… ']'
//	string  '"' decoded bytes stop
//	other   the number or literal as written, stop
//
// It can be read back without ambiguity: a value's first byte tells the kind, and stop is a byte that neither
// numbers and literals nor UTF-8 contain. Surrogates without a partner, which RFC 8259 §8.2 lets a string have
// and no UTF-8 can encode, are written as the three bytes that UTF-8 would use, lest they all become U+FFFD.
type checked []byte

const stop = 0xFF

// Keys in canonical form.
const (
	metaKey    = "\"meta\xFF"
	historyKey = "\"history\xFF"
)

// member is the place in out of one member of an object.
type member struct{ start, keyEnd, end int }

// appendValue recurses, MaxDepth deep at most.
func (c checked) appendValue(out []byte, i int, at place) ([]byte, int) {
	switch c[i] {
	case '{':
		return c.appendObject(out, i, at)
	case '[':
		return c.appendArray(out, i)
	case '"':
		return c.appendString(out, i)
	default:
		return c.appendScalar(out, i)
	}
}

func (c checked) appendObject(out []byte, i int, at place) ([]byte, int) {
	members := make([]member, 0, 16) // on the stack; the Data API's largest object has 10
	out = append(out, '{')
	for i = skipSpace(c, i+1); c[i] != '}'; i = c.next(i) {
		m := member{start: len(out)}
		out, i = c.appendString(out, i)
		m.keyEnd = len(out)

		key, below := out[m.start:m.keyEnd], elsewhere
		if at == atTop && string(key) == metaKey {
			below = atMeta
		}
		drop := at == atMeta && string(key) == historyKey

		i = skipSpace(c, i) + len(":")
		out, i = c.appendValue(out, skipSpace(c, i), below)
		m.end = len(out)
		if drop {
			out = out[:m.start]
			continue
		}
		members = append(members, m)
	}
	return append(sortMembers(out, members), '}'), i + 1
}

// sortMembers puts the last members of out into the order of their keys.
func sortMembers(out []byte, members []member) []byte {
	byKey := func(a, b member) int {
		return bytes.Compare(out[a.start:a.keyEnd], out[b.start:b.keyEnd])
	}
	if slices.IsSortedFunc(members, byKey) {
		return out
	}
	unsorted, size := members[0].start, len(out)
	slices.SortStableFunc(members, byKey)
	for _, m := range members {
		out = append(out, out[m.start:m.end]...)
	}
	copy(out[unsorted:], out[size:])
	return out[:size]
}

func (c checked) appendArray(out []byte, i int) ([]byte, int) {
	out = append(out, '[')
	for i = skipSpace(c, i+1); c[i] != ']'; i = c.next(i) {
		out, i = c.appendValue(out, i, elsewhere)
	}
	return append(out, ']'), i + 1
}

// next returns the offset of what follows the member or element that ends before i: the next one, or the bracket.
func (c checked) next(i int) int {
	if i = skipSpace(c, i); c[i] == ',' {
		i = skipSpace(c, i+1)
	}
	return i
}

func (c checked) appendScalar(out []byte, i int) ([]byte, int) {
	for {
		switch c[i] {
		case ',', ']', '}', ' ', '\t', '\n', '\r': // one of them follows, as a scalar is never outermost
			return append(out, stop), i
		}
		out = append(out, c[i])
		i++
	}
}

func (c checked) appendString(out []byte, i int) ([]byte, int) {
	out = append(out, '"')
	i++
	for {
		start := i
		for c[i] != '"' && c[i] != '\\' {
			i++
		}
		out = append(out, c[start:i]...)
		if c[i] == '"' {
			return append(out, stop), i + 1
		}
		out, i = c.appendEscape(out, i)
	}
}

// appendEscape decodes one escape.
func (c checked) appendEscape(out []byte, i int) ([]byte, int) {
	r, i := c.escape(i)
	if utf16.IsSurrogate(r) {
		return append(out, 0xE0|byte(r>>12), 0x80|byte(r>>6&0x3F), 0x80|byte(r&0x3F)), i
	}
	return utf8.AppendRune(out, r), i
}
