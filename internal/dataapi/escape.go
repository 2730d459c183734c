package dataapi

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decode returns what a string's characters from start to end stand for. A surrogate without a partner, which no UTF-8
// can encode, becomes U+FFFD, as in encoding/json.
func (c checked) decode(start, end int) []byte {
	out := make([]byte, 0, end-start) // every escape is longer than what it stands for
	for i := start; i < end; {
		if c[i] != '\\' {
			out = append(out, c[i])
			i++
			continue
		}
		var r rune
		r, i = c.escape(i)
		out = utf8.AppendRune(out, r)
	}
	return out
}

// escape decodes one escape of RFC 8259 §7, or two of them that are one character, and returns the offset behind it.
// A surrogate without a partner stands for itself.
func (c checked) escape(i int) (r rune, end int) {
	const size = len(`\u0000`)
	escaped := c[i+1]
	if escaped != 'u' {
		if control := strings.IndexByte("bfnrt", escaped); control >= 0 {
			escaped = "\b\f\n\r\t"[control]
		}
		return rune(escaped), i + len(`\n`)
	}
	r = c.codeUnit(i)
	i += size
	if utf16.IsSurrogate(r) && bytes.HasPrefix(c[i:], []byte(`\u`)) {
		if pair := utf16.DecodeRune(r, c.codeUnit(i)); pair != utf8.RuneError {
			return pair, i + size
		}
	}
	return r, i
}

// codeUnit returns the UTF-16 code unit that the escape \uXXXX at i stands for.
func (c checked) codeUnit(i int) (unit rune) {
	for _, digit := range c[i+len(`\u`) : i+len(`\u0000`)] {
		unit <<= 4
		if digit <= '9' {
			unit |= rune(digit - '0')
		} else {
			unit |= rune(digit|0x20-'a') + 10
		}
	}
	return unit
}
