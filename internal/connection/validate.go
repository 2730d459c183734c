package connection

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/config/document"
	"github.com/lorry-mqtt/lorry/internal/fault"
	"github.com/lorry-mqtt/lorry/internal/secret"
	"github.com/lorry-mqtt/lorry/internal/topic"
)

// Bounds of the free texts.
const (
	maxDescription = 1000 // characters
	maxFilter      = 128  // bytes
	maxTags        = 64
	maxTagValue    = 256 // bytes
)

var (
	idPattern     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	filterPattern = regexp.MustCompile(`^[!-~]+$`)
	tagPattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$`)
)

// Validate returns every fault of the connection at once, each with the path of its field. Complete the connection
// with [Spec.WithDefaults] first. No reason shows a secret. It reads no file and reaches no network.
func (s Spec) Validate() fault.List {
	var faults fault.List
	s.validateIdentity(&faults)
	s.validateURI(&faults)
	s.validateTopics(&faults)
	for _, section := range []struct {
		path   string
		faults fault.List
	}{
		{"source", s.Source.validate()},
		{"mqtt", s.MQTT.validate()},
		{"downlink", s.Downlink.validate()},
		{"tls", s.TLS.validate(s.URI.Scheme())},
		{"websocket", s.WebSocket.validate(s.URI.Scheme())},
	} {
		faults = append(faults, section.faults.Prefixed(section.path)...)
	}
	return faults
}

func (s Spec) validateIdentity(faults *fault.List) {
	switch {
	case s.ID == "":
		faults.Add("id", "is required")
	case !idPattern.MatchString(s.ID):
		faults.Add("id", "must be 1 to 63 of a-z, 0-9 and -, the first no -")
	}
	if utf8.RuneCountInString(s.Description) > maxDescription {
		faults.Add("description", "is longer than %d characters", maxDescription)
	}
	if !printable(s.Description, "\n\t") {
		faults.Add("description", "must be UTF-8 without control characters other than newline and tab")
	}
	switch {
	case s.Filter == "":
		faults.Add("filter", "is required: the id of a filter on the Network Server")
	case len(s.Filter) > maxFilter || !filterPattern.MatchString(s.Filter):
		faults.Add("filter", "must be at most %d printable ASCII characters without spaces", maxFilter)
	}
	if len(s.Tags) > maxTags {
		faults.Add("tags", "are more than %d", maxTags)
	}
	for _, key := range sortedKeys(s.Tags) {
		path, value := document.Child("tags", key), s.Tags[key]
		if !tagPattern.MatchString(key) {
			faults.Add(path, "a tag's name must be 1 to 63 of letters, digits, ., _, / and -, the first a letter or digit")
		}
		if len(value) > maxTagValue || !printable(value, "") {
			faults.Add(path, "a tag's value must be at most %d bytes of UTF-8 without control characters", maxTagValue)
		}
	}
}

func (s Spec) validateURI(faults *fault.List) {
	if s.URI.IsZero() {
		faults.Add("uri", "is required, such as mqtts://user:password@broker.example")
		return
	}
	switch parsed, err := broker.ParseURI(s.URI.Reveal()); {
	case err != nil:
		faults.Add("uri", "%s", err)
	case parsed.Password.Reveal() == secret.Mask:
		faults.Add("uri", "%s", masked)
	}
}

// masked is the reason against a secret that was copied from an answer.
const masked = "holds the mask " + secret.Mask + " in the secret's place: give the secret itself"

func (s Spec) validateTopics(faults *fault.List) {
	template, upErr := topic.Compile(s.TopicUp)
	switch {
	case s.TopicUp == "":
		faults.Add("topic_up", "is required, such as lora/{type}/{device}")
	case upErr != nil:
		faults.Add("topic_up", "%s", upErr)
	}
	if s.TopicDown == "" {
		return
	}
	filter, downErr := topic.ParseFilter(s.TopicDown)
	if downErr != nil {
		faults.Add("topic_down", "%s", downErr)
	}
	if s.TopicUp == "" || upErr != nil || downErr != nil {
		return
	}
	switch example, overlaps := topic.Overlap(template, filter); {
	case overlaps && example == "":
		faults.Add("topic_down", "is too intricate to tell whether it receives what topic_up publishes; that must not be: %s", echo)
	case overlaps:
		faults.Add("topic_down", "also receives what topic_up publishes, such as %q: %s; keep the two apart", example, echo)
	}
}

// echo is why a connection must not receive what it publishes.
const echo = "the Network Server would get its own message back, answer with an error that quotes it, and that error " +
	"would come back the same way, larger each time"

// printable reports whether s is valid UTF-8 without control characters other than those allowed.
func printable(s, allowed string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && !strings.ContainsRune(allowed, r)
	})
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
