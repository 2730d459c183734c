package topic

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// MaxValueBytes is how much of a field's value enters a topic.
const MaxValueBytes = 256

// Template is a topic with placeholders for fields of the message: {device}, {device_addr}, {application}, {gateway}
// and {network} of its meta, and its {type}. It is immutable and safe for concurrent use.
type Template struct {
	source string
	parts  []part
}

// part is a piece of a template: a literal, or the placeholder of a field.
type part struct {
	field   field
	text    string // the literal, or the placeholder as written
	leading bool   // a placeholder at the topic's very start
}

type field int

const (
	literal field = iota
	device
	deviceAddr
	application
	gateway
	network
	kind
	fields // how many there are
)

var placeholders = [fields]string{
	device:      "{device}",
	deviceAddr:  "{device_addr}",
	application: "{application}",
	gateway:     "{gateway}",
	network:     "{network}",
	kind:        "{type}",
}

// Compile reads a template. Apart from its placeholders it must be a topic name that every broker accepts: not empty,
// valid UTF-8 without control characters and noncharacters (MQTT 3.1.1 §1.5.3), without the wildcards + and #
// (§4.7.1), and short enough that no message's topic exceeds MaxBytes, each placeholder counting for
// MaxValueBytes. Braces have no other use than placeholders.
//
// The error says what is wrong and where, to follow the name of the faulty setting.
func Compile(s string) (*Template, error) {
	if err := legal(s); err != nil {
		return nil, err
	}
	if at := strings.IndexAny(s, "+#"); at >= 0 {
		return nil, fmt.Errorf("wildcard %q at byte %d: topics to publish to have none", s[at], at)
	}
	t := &Template{source: s}
	size := 0
	for rest := s; rest != ""; {
		p, err := nextPart(rest)
		if err != nil {
			return nil, fmt.Errorf("byte %d: %w", len(s)-len(rest), err)
		}
		rest = rest[len(p.text):]
		if p.field == literal {
			size += len(p.text)
		} else {
			size += MaxValueBytes
			p.leading = len(t.parts) == 0
		}
		t.parts = append(t.parts, p)
	}
	if size > MaxBytes {
		return nil, fmt.Errorf("topics could reach %d bytes (%d for each placeholder), MQTT allows %d",
			size, MaxValueBytes, MaxBytes)
	}
	return t, nil
}

// nextPart returns the part that s, which is not empty, begins with.
func nextPart(s string) (part, error) {
	brace := strings.IndexAny(s, "{}")
	switch {
	case brace < 0:
		return part{text: s}, nil
	case brace > 0:
		return part{text: s[:brace]}, nil
	case s[0] == '}':
		return part{}, errors.New("} without {")
	}
	end := 1 + strings.IndexAny(s[1:], "{}")
	if end == 0 || s[end] == '{' {
		return part{}, errors.New("{ without }")
	}
	for f, placeholder := range placeholders {
		if placeholder == s[:end+1] {
			return part{field: field(f), text: placeholder}, nil
		}
	}
	return part{}, fmt.Errorf("unknown placeholder %.40q (known are %s)", s[:end+1], strings.Join(placeholders[1:], " "))
}

// String returns the template as it was compiled.
func (t *Template) String() string { return t.source }

// Append appends the message's topic to dst and returns the extended slice. It allocates nothing else.
//
// The topic is always legal, and has as many levels as the template:
//   - A placeholder whose field the message lacks stays as it is written.
//   - In a value, each of / + # and each character that brokers may refuse becomes _, as does each byte that is
//     not valid UTF-8 and, at the very start of the topic, $ (topics that begin so are the broker's, MQTT 3.1.1
//     §4.7.2).
//   - A value ends after MaxValueBytes; what remains of a character that is cut there becomes _.
func (t *Template) Append(dst []byte, env *dataapi.Envelope) []byte {
	for _, p := range t.parts {
		if p.field == literal {
			dst = append(dst, p.text...)
		} else {
			dst = p.expand(dst, env)
		}
	}
	return dst
}

// expand appends what stands in the placeholder's place.
func (p part) expand(dst []byte, env *dataapi.Envelope) []byte {
	start := len(dst)
	if p.field == kind {
		dst = append(dst, env.Type[:min(len(env.Type), MaxValueBytes)]...)
	} else {
		value := metaField(&env.Meta, p.field)
		dst = append(dst, value[:min(len(value), MaxValueBytes)]...)
	}
	if len(dst) == start {
		return append(dst, p.text...)
	}
	if p.leading && dst[start] == '$' {
		dst[start] = '_'
	}
	return sanitize(dst, start)
}

func metaField(m *dataapi.Meta, f field) []byte {
	switch f {
	case device:
		return m.Device
	case deviceAddr:
		return m.DeviceAddr
	case application:
		return m.Application
	case gateway:
		return m.Gateway
	case network:
		return m.Network
	}
	return nil
}

// sanitize replaces, from start on, what must not come from a value into a topic.
func sanitize(dst []byte, start int) []byte {
	clean := start
	for clean < len(dst) && dst[clean] < utf8.RuneSelf && fit(rune(dst[clean])) {
		clean++
	}
	// Replacements are not longer than what they replace, so reading is never behind writing.
	rest := dst[clean:]
	dst = dst[:clean]
	for len(rest) > 0 {
		r, size := utf8.DecodeRune(rest)
		if fit(r) && (r != utf8.RuneError || size > 1) {
			dst = append(dst, rest[:size]...)
		} else {
			dst = append(dst, '_')
		}
		rest = rest[size:]
	}
	return dst
}

// fit reports whether a value may bring r into a topic.
func fit(r rune) bool { return r != '/' && r != '+' && r != '#' && !forbidden(r) }
