package dataapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// MaxDepth is how many objects and arrays may be open at once in a message, the outermost included. RFC 8259 §9
// leaves such a limit to the reader; the Data API's own messages use five.
const MaxDepth = 128

// What [Scan] and [Identify] refuse, to be matched with errors.Is. The errors returned add the reason and the place,
// and never more of the content than one character.
var (
	// ErrNotJSON: the content is not a JSON text of RFC 8259, is not valid UTF-8, or is nested beyond MaxDepth.
	ErrNotJSON = errors.New("not JSON")
	// ErrNotObject: the content is JSON, but not an object.
	ErrNotObject = errors.New("not a JSON object")
	// ErrNoType: the object's `type` is absent, not a string, empty, or longer than MaxTypeBytes.
	ErrNoType = errors.New("no message type")
	// ErrBadMeta: the object's `meta` is there and not an object; null is not one.
	ErrBadMeta = errors.New("meta is not an object")
)

// check returns nil when raw is an object that can be read without looking for faults again. It fails with ErrNotJSON or
// ErrNotObject.
func check(raw []byte) error {
	s := scanner{text: raw}
	return s.message(elsewhere)
}

// notJSON says why and where raw is not JSON that a scanner can read. The scanner only knows that it is not: this looks
// again, for one fault after the other.
func notJSON(raw []byte) error {
	if !utf8.Valid(raw) {
		return fmt.Errorf("%w: invalid UTF-8 at byte %d", ErrNotJSON, invalidUTF8(raw))
	}
	if at, deep := tooDeep(raw); deep {
		return fmt.Errorf("%w: nested deeper than %d levels at byte %d", ErrNotJSON, MaxDepth, at)
	}
	return fmt.Errorf("%w: %s", ErrNotJSON, syntaxFault(raw))
}

// invalidUTF8 returns the offset of the first byte that is not part of a UTF-8 sequence.
func invalidUTF8(raw []byte) int {
	at := 0
	for at < len(raw) {
		r, size := utf8.DecodeRune(raw[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

// tooDeep reports whether and where raw opens more than MaxDepth objects and arrays. The answer holds for any prefix
// of raw that is JSON so far, and so for all that a scanner gets to see before it stops.
func tooDeep(raw []byte) (at int, deep bool) {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '{', '[':
			if depth++; depth > MaxDepth {
				return i, true
			}
		case '}', ']':
			depth--
		case '"':
			for i++; i < len(raw) && raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
		}
	}
	return 0, false
}

// syntaxFault says where and why raw, which is not JSON, is not.
func syntaxFault(raw []byte) string {
	var ignored json.RawMessage
	err := json.Unmarshal(raw, &ignored)
	if fault, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("%v at byte %d", fault, fault.Offset)
	}
	return "malformed"
}
