package topic

import (
	"errors"
	"fmt"
	"strings"
)

// Filter is a topic filter (MQTT 3.1.1 §4.7), immutable and safe for concurrent use. The zero Filter matches nothing.
type Filter struct {
	source string
	levels string // source without a shared subscription's prefix
}

// sharePrefix begins the filter of a shared subscription, $share/GROUP/FILTER: MQTT 5 §4.8.2, which brokers offer to
// MQTT 3.1.1 clients, too.
const sharePrefix = "$share/"

// ParseFilter reads a topic filter, or a shared subscription. It must be one that every broker accepts: not
// empty, at most MaxBytes, valid UTF-8 without control characters and noncharacters (MQTT 3.1.1 §1.5.3), each +
// alone in its level (§4.7.1.3), and # alone in the last level (§4.7.1.2).
//
// The error says what is wrong and where, to follow the name of the faulty setting.
func ParseFilter(s string) (Filter, error) {
	if err := legal(s); err != nil {
		return Filter{}, err
	}
	f := Filter{source: s, levels: s}
	if shared, ok := strings.CutPrefix(s, sharePrefix); ok {
		group, levels, _ := strings.Cut(shared, "/")
		if group == "" || levels == "" || strings.ContainsAny(group, "+#") {
			return Filter{}, errors.New("a shared subscription reads $share/GROUP/FILTER, GROUP without wildcards")
		}
		f.levels = levels
	}
	at := len(s) - len(f.levels)
	for level := range strings.SplitSeq(f.levels, "/") {
		end := at + len(level)
		switch {
		case level != "+" && strings.Contains(level, "+"):
			return Filter{}, fmt.Errorf("+ is not alone in the level at byte %d", at)
		case level != "#" && strings.Contains(level, "#"):
			return Filter{}, fmt.Errorf("# is not alone in the level at byte %d", at)
		case level == "#" && end < len(s):
			return Filter{}, fmt.Errorf("# at byte %d is not the last level", at)
		}
		at = end + len("/")
	}
	return f, nil
}

// String returns the filter as it was parsed: what to subscribe to.
func (f Filter) String() string { return f.source }

// Match reports whether a message published to the topic reaches a subscriber to the filter: levels are
// compared byte by byte, + stands for any one level, # for any number including none, and neither for a first
// level that begins with $ (MQTT 3.1.1 §4.7.1, §4.7.2).
func (f Filter) Match(topic string) bool {
	if topic == "" || f.levels == "" || topic[0] == '$' && f.wild() {
		return false
	}
	filter := f.levels
	for {
		want, filterRest, filterMore := strings.Cut(filter, "/")
		if want == "#" {
			return true
		}
		level, topicRest, topicMore := strings.Cut(topic, "/")
		switch {
		case want != "+" && want != level:
			return false
		case !topicMore:
			return !filterMore || filterRest == "#"
		case !filterMore:
			return false
		}
		filter, topic = filterRest, topicRest
	}
}

// wild reports whether the first level is a wildcard.
func (f Filter) wild() bool { return f.levels[0] == '+' || f.levels[0] == '#' }
