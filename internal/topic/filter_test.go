package topic_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/internal/topic"
)

func parseFilter(tb rapid.TB, s string) topic.Filter {
	tb.Helper()
	f, err := topic.ParseFilter(s)
	if err != nil {
		tb.Fatalf("ParseFilter(%q): %v", s, err)
	}
	return f
}

func TestMatch(t *testing.T) {
	tests := []struct {
		filter string
		match  []string
		not    []string
	}{
		// The examples of MQTT 3.1.1 §4.7.1.2, §4.7.1.3, §4.7.2 and §4.7.3.
		{
			"sport/tennis/player1/#",
			[]string{"sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/score/wimbledon"},
			[]string{"sport/tennis", "sport/tennis/player2", "sport/tennis/player12"},
		},
		{"sport/#", []string{"sport", "sport/", "sport//"}, []string{"sports", "Sport"}},
		{"#", []string{"sport", "/", "sport/tennis"}, []string{"$SYS", "$SYS/monitor/Clients", "$", ""}},
		{
			"sport/tennis/+",
			[]string{"sport/tennis/player1", "sport/tennis/"},
			[]string{"sport/tennis/player1/ranking", "sport/tennis"},
		},
		{"sport/+", []string{"sport/"}, []string{"sport"}},
		{"+/+", []string{"/finance", "/", "a/b"}, []string{"finance", "/a/b", "$SYS/a"}},
		{"/+", []string{"/finance"}, []string{"finance"}},
		{"+", []string{"finance"}, []string{"/finance", "$SYS"}},
		{"+/monitor/Clients", nil, []string{"$SYS/monitor/Clients"}},
		{"$SYS/#", []string{"$SYS", "$SYS/monitor/Clients"}, []string{"SYS"}},
		{"$SYS/monitor/+", []string{"$SYS/monitor/Clients"}, nil},
		{"ACCOUNTS", []string{"ACCOUNTS"}, []string{"Accounts", "ACCOUNTS/", "/ACCOUNTS"}},
		{"+/tennis/#", []string{"sport/tennis", "/tennis", "a/tennis/b/c"}, []string{"tennis", "a/b/tennis"}},
		{"a/+/+/#", []string{"a/b/c", "a///"}, []string{"a/b", "a"}},
		{"+/$SYS", []string{"a/$SYS", "/$SYS"}, []string{"$a/$SYS"}},
		{"$share/g/lora/+", []string{"lora/a"}, []string{"$share/g/lora/a", "lora"}},
		{"$share/g/#", []string{"lora"}, []string{"$SYS/a"}},
		{"$share/g//a", []string{"/a"}, []string{"a"}},
		{"$shared/g/a", []string{"$shared/g/a"}, []string{"a"}},
	}
	for _, test := range tests {
		f := parseFilter(t, test.filter)
		if f.String() != test.filter {
			t.Errorf("String() = %q, want %q", f, test.filter)
		}
		for _, name := range test.match {
			if !f.Match(name) {
				t.Errorf("%q does not match %q", test.filter, name)
			}
		}
		for _, name := range test.not {
			if f.Match(name) {
				t.Errorf("%q matches %q", test.filter, name)
			}
		}
	}
	if (topic.Filter{}).Match("a") {
		t.Error("the zero filter matches")
	}
}

func TestParseFilterRefuses(t *testing.T) {
	tests := []struct{ filter, reason string }{
		{"", "empty"},
		{"sport/tennis#", "# is not alone in the level at byte 6"},
		{"sport/tennis/#/ranking", "# at byte 13 is not the last level"},
		{"#/", "# at byte 0 is not the last level"},
		{"##", "# is not alone in the level at byte 0"},
		{"sport+", "+ is not alone in the level at byte 0"},
		{"a/+b/c", "+ is not alone in the level at byte 2"},
		{"a/+#", "is not alone in the level at byte 2"},
		{"a\x00", "U+0000 at byte 1"},
		{"a\r", "U+000D at byte 1"},
		{"a\uFFFF", "U+FFFF at byte 1"},
		{"\xFF", "invalid UTF-8 at byte 0"},
		{strings.Repeat("a", topic.MaxBytes+1), "65536 bytes"},
		{"$share/", "$share/GROUP/FILTER"},
		{"$share/g", "$share/GROUP/FILTER"},
		{"$share/g/", "$share/GROUP/FILTER"},
		{"$share//a", "$share/GROUP/FILTER"},
		{"$share/+/a", "$share/GROUP/FILTER"},
		{"$share/g#/a", "$share/GROUP/FILTER"},
		{"$share/g/a/b+", "+ is not alone in the level at byte 11"},
	}
	for _, test := range tests {
		_, err := topic.ParseFilter(test.filter)
		if err == nil || !strings.Contains(err.Error(), test.reason) || len(err.Error()) > 200 {
			t.Errorf("ParseFilter(%.50q): got %v, want %q", test.filter, err, test.reason)
		}
	}
}

// matches does Match's work by recursion over levels.
func matches(filter, levels []string) bool {
	switch {
	case slices.Equal(filter, []string{"#"}):
		return true
	case len(filter) == 0 || len(levels) == 0:
		return len(filter) == len(levels)
	}
	return (filter[0] == "+" || filter[0] == levels[0]) && matches(filter[1:], levels[1:])
}

func TestMatchAgainstRecursion(t *testing.T) {
	level := rapid.SampledFrom([]string{"", "a", "b", "$a"})
	wild := rapid.SampledFrom([]string{"", "a", "b", "$a", "+", "+"})
	rapid.Check(t, func(t *rapid.T) {
		filter := rapid.SliceOfN(wild, 1, 4).Draw(t, "filter")
		if rapid.Bool().Draw(t, "open") {
			filter = append(filter, "#")
		}
		levels := rapid.SliceOfN(level, 1, 4).Draw(t, "topic")
		name := strings.Join(levels, "/")
		if name == "" || strings.Join(filter, "/") == "" {
			return
		}
		reserved := name[0] == '$' && (filter[0] == "+" || filter[0] == "#")
		want := !reserved && matches(filter, levels)
		if got := parseFilter(t, strings.Join(filter, "/")).Match(name); got != want {
			t.Fatalf("%q matches %q: %t", filter, name, got)
		}
	})
}
