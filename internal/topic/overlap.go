package topic

import (
	"strings"
	"unicode/utf8"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// maxTries bounds the search for an overlap to some ten milliseconds.
const maxTries = 1_000_000

// Overlap reports whether the filter matches a topic that the template has for some message from the Network
// Server, and if so returns such a topic.
//
// A message may have any value in any field, or lack it, except that {type} is never one of the types that only the
// Application Server sends (downlink_response, downlink_claim, join_response, status_request): so a connection may
// publish to lora/{type}/{device} and subscribe to lora/downlink_response/+. Nor does Overlap reckon with types
// that merely turn into one of those, as downlink/response would. A placeholder used twice has one value.
//
// The answer is exact, but for filters with hundreds of characters against levels with many placeholders: where the
// search becomes too long, Overlap gives up and returns true and no example.
func Overlap(t *Template, f Filter) (example string, overlaps bool) {
	if f.levels == "" || t.source[0] == '$' && f.wild() {
		return "", false
	}
	pattern, text, ok := constrain(t.levels(), strings.Split(f.levels, "/"))
	if !ok {
		return "", false
	}
	s := search{tries: maxTries}
	if !s.match(pattern, text) {
		return "", s.tries < 0
	}
	return string(t.Append(nil, s.message())), true
}

// levels returns the parts of each of the template's levels.
func (t *Template) levels() [][]part {
	levels := [][]part{nil}
	for _, p := range t.parts {
		if p.field != literal {
			levels[len(levels)-1] = append(levels[len(levels)-1], p)
			continue
		}
		for i, text := range strings.Split(p.text, "/") {
			if i > 0 {
				levels = append(levels, nil)
			}
			levels[len(levels)-1] = append(levels[len(levels)-1], part{text: text})
		}
	}
	return levels
}

// constrain joins those levels of a template for which the filter has no wildcard, and those of the filter: they must
// become equal for the filter to match. It reports false when it cannot match for the number of levels.
func constrain(levels [][]part, filter []string) (pattern []part, text string, ok bool) {
	var b strings.Builder
	for i, want := range filter {
		switch {
		case want == "#":
			return pattern, b.String(), true
		case i == len(levels):
			return nil, "", false
		case want != "+":
			pattern = append(append(pattern, levels[i]...), part{text: "/"})
			b.WriteString(want + "/")
		}
	}
	return pattern, b.String(), len(filter) == len(levels)
}

// search looks for values of placeholders with which a pattern becomes a text.
type search struct {
	values [fields]string // empty: any
	tries  int            // left; negative when it gave up
}

// match reports whether the pattern becomes the text with the values set already and suitable others, and sets those.
func (s *search) match(pattern []part, text string) bool {
	for i, p := range pattern {
		if p.field != literal && s.values[p.field] == "" {
			return s.choose(p, pattern[i+1:], text)
		}
		rest, ok := strings.CutPrefix(text, p.text)
		if p.field != literal {
			rest, ok = strings.CutPrefix(text, s.values[p.field])
		}
		if !ok {
			return false
		}
		text = rest
	}
	return text == ""
}

// choose tries every value of a placeholder that the text can begin with, the rest of the pattern having to
// become the rest of the text. It recurses once for each field at most.
func (s *search) choose(p part, rest []part, text string) bool {
	for end := 0; end < len(text) && text[end] != '/'; { // no value has a /
		_, size := utf8.DecodeRuneInString(text[end:])
		if end += size; end > MaxValueBytes {
			break
		}
		for _, value := range p.values(text[:end]) {
			if s.tries--; s.tries < 0 {
				return false
			}
			s.values[p.field] = value
			if s.match(rest, text[end:]) {
				return true
			}
		}
	}
	s.values[p.field] = ""
	return false
}

// values returns the values that appear in the placeholder's place as text.
func (p part) values(text string) []string {
	switch t := dataapi.Type(text); {
	case p.field == kind && t.FromAS() && !t.FromNS():
		return nil
	case p.leading && text[0] == '$':
		return nil
	case p.leading && text[0] == '_':
		return []string{text, "$" + text[1:]} // the same here, but not where the field is used again
	}
	return []string{text}
}

// message returns one with the values found, and likely ones in the fields that may have any.
func (s *search) message() *dataapi.Envelope {
	value := func(f field, likely string) []byte {
		if s.values[f] != "" {
			return []byte(s.values[f])
		}
		return []byte(likely)
	}
	return &dataapi.Envelope{
		Type: dataapi.Type(value(kind, string(dataapi.Uplink))),
		Meta: dataapi.Meta{
			Device:      value(device, "0004a30b001c8d5e"),
			DeviceAddr:  value(deviceAddr, "0a5f21c7"),
			Application: value(application, "70b3d54b10001a2c"),
			Gateway:     value(gateway, "647fdafffe00e1b3"),
			Network:     value(network, "9f2c41d07b6e4a5c8d13e0a7b5c6f214"),
		},
	}
}
