package dataapi

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// text is a message that nobody has checked. Each of its skip methods reads what begins at offset i, and returns the
// offset behind it, or fault where RFC 8259 has it otherwise. There is nothing to be read at fault, so that a caller may
// go on regardless: whatever must follow is not there, and the result is fault again.
type text []byte

// fault is an offset that no token has or ends at.
func (t text) fault() int { return len(t) + 1 }

// failed reports whether an offset is fault.
func (t text) failed(i int) bool { return i > len(t) }

// peek returns the byte at i, and where there is none NUL, which no token has.
func (t text) peek(i int) byte {
	if i < len(t) {
		return t[i]
	}
	return 0
}

// skip reads one byte, which must be c.
func (t text) skip(i int, c byte) int {
	if t.peek(i) == c {
		return i + 1
	}
	return t.fault()
}

// skipWord reads a literal.
func (t text) skipWord(i int, word string) int {
	if end := i + len(word); end <= len(t) && string(t[i:end]) == word {
		return end
	}
	return t.fault()
}

// skipNumber reads a number (RFC 8259 §6).
func (t text) skipNumber(i int) int {
	if t.peek(i) == '-' {
		i++
	}
	if t.peek(i) == '0' {
		i++
	} else {
		i = t.skipDigits(i)
	}
	if t.peek(i) == '.' {
		i = t.skipDigits(i + 1)
	}
	if c := t.peek(i); c == 'e' || c == 'E' {
		i++
		if c := t.peek(i); c == '+' || c == '-' {
			i++
		}
		i = t.skipDigits(i)
	}
	return i
}

// skipDigits reads one digit or more.
func (t text) skipDigits(i int) int {
	begin := i
	for i < len(t) && '0' <= t[i] && t[i] <= '9' {
		i++
	}
	if i == begin {
		return t.fault()
	}
	return i
}

// skipString reads a string (RFC 8259 §7), and tells whether anything in it is escaped.
func (t text) skipString(i int) (end int, escaped bool) {
	if t.peek(i) != '"' {
		return t.fault(), false
	}
	for i++; ; {
		i = t.skipPlain(i)
		switch c := t.peek(i); {
		case c == '"':
			return i + 1, escaped
		case c == '\\':
			i, escaped = t.skipEscape(i), true
		case c < ' ':
			return t.fault(), escaped
		case c < utf8.RuneSelf:
			i++
		default:
			i = t.skipRunes(i)
		}
	}
}

// Eight bytes at once, each of them the same.
const (
	eachOne  = 0x0101010101010101
	eachHigh = 0x80 * eachOne
)

// skipPlain reads what a string has most of, ASCII that stands for itself, eight bytes at a time. It stops at the first
// byte that is something else, or where fewer than eight are left.
func (t text) skipPlain(i int) int {
	for ; i+8 <= len(t); i += 8 {
		eight := binary.LittleEndian.Uint64(t[i:])
		// The high bit of a byte is set where that is less than a space, a quote, a backslash or not ASCII: what is subtracted
		// takes that bit from no byte in both of the last two. A borrow may set it in bytes behind such a one as well: the
		// lowest that is set is right.
		other := (eight - ' '*eachOne) | ((eight ^ '"'*eachOne) - eachOne) | ((eight ^ '\\'*eachOne) - eachOne)
		if other &= eachHigh; other != 0 {
			return i + bits.TrailingZeros64(other)/8
		}
	}
	return i
}

// skipEscape reads a backslash and what it escapes.
func (t text) skipEscape(i int) int {
	const size = len(`\u0000`)
	switch t.peek(i + 1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + len(`\n`)
	case 'u':
		for digit := i + len(`\u`); digit < i+size; digit++ {
			if c := t.peek(digit); (c < '0' || '9' < c) && (c|0x20 < 'a' || 'f' < c|0x20) {
				return t.fault()
			}
		}
		return i + size
	}
	return t.fault()
}

// skipRunes reads characters that are not ASCII, in UTF-8: seldom is there just one.
func (t text) skipRunes(i int) int {
	for i < len(t) && t[i] >= utf8.RuneSelf {
		_, size := utf8.DecodeRune(t[i:])
		if size == 1 { // what it says of a fault
			return t.fault()
		}
		i += size
	}
	return i
}

// skipSpace returns the offset of the first byte at or after i that is not JSON whitespace.
func skipSpace(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\t' || raw[i] == '\n' || raw[i] == '\r') {
		i++
	}
	return i
}
