package topic_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/topic"
)

func TestOverlap(t *testing.T) {
	tests := []struct {
		template, filter string
		example          string // empty: no overlap
	}{
		{"upstream", "downstream", ""},
		{"lora", "lora", "lora"},
		{"lora", "Lora", ""},
		{"lora/{type}/{device}", "downstream", ""},
		{"lora/{type}/{device}", "#", "lora/uplink/0004a30b001c8d5e"},
		{"lora/{type}/{device}", "lora/#", "lora/uplink/0004a30b001c8d5e"},
		{"lora/{type}/{device}", "lora/uplink/x/#", "lora/uplink/x"},
		{"lora/{type}/{device}", "lora/uplink/x/+/#", ""},
		{"lora/{type}/{device}", "lora/+", ""},
		{"lora/{type}/{device}", "lora/+/+/+", ""},
		{"lora/{type}/{device}", "lora/error/+", "lora/error/0004a30b001c8d5e"},
		{"lora/{type}/{device}", "lora/error/{device}", "lora/error/{device}"},
		{"lora/{type}/{device}", "+/status/x", "lora/status/x"},
		{"lora/{type}/{device}", "$share/g/lora/#", "lora/uplink/0004a30b001c8d5e"},
		{"lora/{type}/{device}", "lora/uplink/", ""},
		{"lora/{type}/{device}/", "lora/uplink/x/", "lora/uplink/x/"},
		// What only the Application Server sends does not come from the Network Server.
		{"lora/{type}/{device}", "lora/downlink_response/+", ""},
		{"lora/{type}/{device}", "lora/downlink_claim/#", ""},
		{"lora/{type}/{device}", "lora/join_response/x", ""},
		{"lora/{type}/{device}", "lora/status_request/x", ""},
		{"lora/{type}/{device}", "lora/downlink_request/x", "lora/downlink_request/x"},
		{"lora/{type}{device}", "lora/downlink_responses", "lora/downlink_responses"},
		{"lora/{type}_response", "lora/downlink_response", "lora/downlink_response"},
		{"{type}/{device}", "downlink_response/downlink_response", ""},
		{"{device}/{type}", "downlink_response/uplink", "downlink_response/uplink"},
		// Several placeholders in a level.
		{"a{device}b{gateway}", "aXbY", "aXbY"},
		{"a{device}b{gateway}", "ab", ""},
		{"a{device}b{gateway}", "abY", ""},
		{"a{device}b{gateway}", "aXb", ""},
		{"a{device}b{gateway}", "abbb", "abbb"},
		{"{device}{gateway}", "é", ""},
		{"{device}{gateway}", "éü", "éü"},
		// One field, one value.
		{"{device}/{device}", "x/x", "x/x"},
		{"{device}/{device}", "x/y", ""},
		{"{device}/{device}", "x/+", "x/x"},
		{"a{device}/{device}a", "ax/xa", "ax/xa"},
		{"{device}{gateway}{device}", "abcab", "abcab"},
		{"{device}{gateway}{device}", "abc", ""},
		{"{device}{device}", "abab", "abab"},
		{"{device}{device}", "aba", ""},
		// Topics that begin with $.
		{"$aws/{device}", "#", ""},
		{"$aws/{device}", "+/x", ""},
		{"$aws/{device}", "$aws/#", "$aws/0004a30b001c8d5e"},
		{"{device}", "$SYS", ""},
		{"{device}/x", "$SYS/x", ""},
		{"{device}", "+", "0004a30b001c8d5e"},
		{"x/{device}", "x/$y", "x/$y"},
		{"{device}/{device}", "_x/$x", "_x/$x"},
		{"{device}/{device}", "$x/$x", ""},
		{"a{device}/{device}", "a_x/$x", ""},
		{"/{device}", "/$x", "/$x"},
		// Values have a length.
		{"{device}", strings.Repeat("x", topic.MaxValueBytes), strings.Repeat("x", topic.MaxValueBytes)},
		{"{device}", strings.Repeat("x", topic.MaxValueBytes+1), ""},
		{"{device}", strings.Repeat("é", topic.MaxValueBytes/2), strings.Repeat("é", topic.MaxValueBytes/2)},
	}
	for _, test := range tests {
		template, f := compile(t, test.template), parseFilter(t, test.filter)
		example, overlaps := topic.Overlap(template, f)
		if example != test.example || overlaps != (test.example != "") {
			t.Errorf("Overlap(%q, %q) = %q, %t, want %q", test.template, test.filter, example, overlaps, test.example)
		}
	}
	if example, overlaps := topic.Overlap(compile(t, "a"), topic.Filter{}); overlaps {
		t.Errorf("the zero filter overlaps in %q", example)
	}
}

func TestOverlapGivesUp(t *testing.T) {
	template := compile(t, "{device}{gateway}{network}{application}{device_addr}{type}/end")
	f := parseFilter(t, strings.Repeat("x", 1000)+"/END")
	if example, overlaps := topic.Overlap(template, f); !overlaps || example != "" {
		t.Errorf("got %q, %t", example, overlaps)
	}
}

// Overlap is exact: over all messages that matter to templates and filters of so small an alphabet.
func TestOverlapAgainstBruteForce(t *testing.T) {
	templatePart := rapid.SampledFrom([]string{"{device}", "{device}", "{gateway}", "{type}", "a", "_", "$", "/", "/"})
	level := rapid.StringOfN(rapid.RuneFrom([]rune("a_$")), 0, 3, -1)
	values := words("a_$", 3)
	rapid.Check(t, func(t *rapid.T) {
		source := strings.Join(rapid.SliceOfN(templatePart, 1, 5).Draw(t, "template"), "")
		if strings.Contains(source, "{gateway}") && strings.Contains(source, "{type}") {
			return // three fields would take too long
		}
		template, err := topic.Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		var filter []string
		for range rapid.IntRange(1, strings.Count(source, "/")+1).Draw(t, "levels") {
			filter = append(filter, rapid.OneOf(level, level, rapid.Just("+")).Draw(t, "level"))
		}
		if rapid.IntRange(0, 3).Draw(t, "open") == 0 {
			filter = append(filter, "#")
		}
		if slices.Equal(filter, []string{""}) {
			return
		}
		f := parseFilter(t, strings.Join(filter, "/"))
		example, overlaps := topic.Overlap(template, f)
		if overlaps && !f.Match(example) {
			t.Fatalf("%q does not match the example %q for %q", f, example, source)
		}
		matched := ""
		produced := func(env *dataapi.Envelope) {
			if name := string(template.Append(nil, env)); f.Match(name) {
				matched = name
			}
		}
		seconds := []string{""}
		if strings.Contains(source, "{gateway}") || strings.Contains(source, "{type}") {
			seconds = append(seconds, values...)
		}
		for _, first := range append(values, "") {
			for _, second := range seconds {
				produced(&dataapi.Envelope{
					Type: dataapi.Type(second),
					Meta: dataapi.Meta{Device: []byte(first), Gateway: []byte(second)},
				})
			}
		}
		if overlaps != (matched != "") {
			t.Fatalf("Overlap(%q, %q) = %q, %t, but a message has %q", source, f, example, overlaps, matched)
		}
		if overlaps && len(example) < 16 && !producible(template, example) {
			t.Fatalf("no message has the example %q for %q", example, source)
		}
	})
}

// words returns all words over the alphabet of 1 to n letters.
func words(alphabet string, n int) []string {
	if n == 0 {
		return nil
	}
	shorter := words(alphabet, n-1)
	all := strings.Split(alphabet, "")
	for letter := range strings.SplitSeq(alphabet, "") {
		for _, word := range shorter {
			all = append(all, letter+word)
		}
	}
	return all
}
