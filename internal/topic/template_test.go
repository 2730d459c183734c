package topic_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/topic"
)

func compile(tb testing.TB, s string) *topic.Template {
	tb.Helper()
	t, err := topic.Compile(s)
	if err != nil {
		tb.Fatalf("Compile(%q): %v", s, err)
	}
	return t
}

var uplink = dataapi.Envelope{
	Type: dataapi.Uplink,
	Meta: dataapi.Meta{
		Network:     []byte("9f2c41d07b6e4a5c8d13e0a7b5c6f214"),
		Application: []byte("70b3d54b10001a2c"),
		Device:      []byte("0004a30b001c8d5e"),
		DeviceAddr:  []byte("0a5f21c7"),
		Gateway:     []byte("647fdafffe00e1b3"),
	},
}

func TestAppend(t *testing.T) {
	tests := []struct{ template, want string }{
		{"upstream", "upstream"},
		{"lora/{type}/{device}", "lora/uplink/0004a30b001c8d5e"},
		{"{device}", "0004a30b001c8d5e"},
		{"/{device_addr}//{application}/", "/0a5f21c7//70b3d54b10001a2c/"},
		{"{network}{gateway}-{device}x{device}", "9f2c41d07b6e4a5c8d13e0a7b5c6f214647fdafffe00e1b3-0004a30b001c8d5ex0004a30b001c8d5e"},
		{"$aws/rules/lora/{type}", "$aws/rules/lora/uplink"},
		{"Zürich/\uFFFD/{type}", "Zürich/\uFFFD/uplink"},
	}
	for _, test := range tests {
		template := compile(t, test.template)
		if got := string(template.Append([]byte("before "), &uplink)); got != "before "+test.want {
			t.Errorf("%q gives %q, want %q", test.template, got, test.want)
		}
		if template.String() != test.template {
			t.Errorf("String() = %q, want %q", template, test.template)
		}
	}
}

func TestAppendValue(t *testing.T) {
	long := strings.Repeat("x", topic.MaxValueBytes)
	tests := []struct{ value, inside, leading string }{
		{"", "{device}", "{device}"},
		{"a", "a", "a"},
		{"a/b+c#d", "a_b_c_d", "a_b_c_d"},
		{"\x00\x1f\x7f\u0080\u009f ", "_____ ", "_____ "},
		{"\uFDD0\uFDEF\uFFFE\uFFFF\U0001FFFE\U0010FFFF", "______", "______"},
		{"\u00A0\uFDCF\uFFFD\U0001FFFD🚀\uFEFF", "\u00A0\uFDCF\uFFFD\U0001FFFD🚀\uFEFF", "\u00A0\uFDCF\uFFFD\U0001FFFD🚀\uFEFF"},
		{"\xFFé\xC3", "_é_", "_é_"},
		{"\xED\xA0\x80", "___", "___"},
		{"é/ü", "é_ü", "é_ü"},
		{"$SYS", "$SYS", "_SYS"},
		{"$", "$", "_"},
		{"$$", "$$", "_$"},
		{"/$", "_$", "_$"},
		{"{type}", "{type}", "{type}"},
		{long, long, long},
		{long + "yz", long, long},
		{long[1:] + "é", long[1:] + "_", long[1:] + "_"},
		{long[4:] + "🚀", long[4:] + "🚀", long[4:] + "🚀"},
	}
	inside, leading := compile(t, "t/{device}/{device}"), compile(t, "{device}/{device}")
	for _, test := range tests {
		env := dataapi.Envelope{Type: dataapi.Uplink, Meta: dataapi.Meta{Device: []byte(test.value)}}
		if got, want := string(inside.Append(nil, &env)), "t/"+test.inside+"/"+test.inside; got != want {
			t.Errorf("value %q gives %q, want %q", test.value, got, want)
		}
		if got, want := string(leading.Append(nil, &env)), test.leading+"/"+test.inside; got != want {
			t.Errorf("leading value %q gives %q, want %q", test.value, got, want)
		}
	}
}

// A message that lacks everything, and a type that no other test can have.
func TestAppendLacking(t *testing.T) {
	const all = "{device}/{device_addr}/{application}/{gateway}/{network}/{type}"
	if got := string(compile(t, all).Append(nil, &dataapi.Envelope{})); got != all {
		t.Errorf("got %q", got)
	}
	env := dataapi.Envelope{Type: "$a/b" + dataapi.Type(strings.Repeat("c", topic.MaxValueBytes))}
	want := "_a_b" + strings.Repeat("c", topic.MaxValueBytes-4)
	if got := string(compile(t, "{type}").Append(nil, &env)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCompileRefuses(t *testing.T) {
	tests := []struct{ template, reason string }{
		{"", "empty"},
		{"lora/{devices}", `byte 5: unknown placeholder "{devices}" (known are {device} {device_addr} {application} {gateway} {network} {type})`},
		{"{Device}", "unknown placeholder"},
		{"{}", `unknown placeholder "{}"`},
		{"{" + strings.Repeat("x", 60000) + "}", "unknown placeholder"},
		{"lora/{device", "byte 5: { without }"},
		{"{", "byte 0: { without }"},
		{"{device{type}}", "byte 0: { without }"},
		{"{{device}}", "byte 0: { without }"},
		{"{device}}", "byte 8: } without {"},
		{"a}b", "byte 1: } without {"},
		{"lora/+/{device}", "wildcard '+' at byte 5"},
		{"lora/#", "wildcard '#' at byte 5"},
		{"a\x00", "U+0000 at byte 1"},
		{"a\n", "U+000A at byte 1"},
		{"a\u0085", "U+0085 at byte 1"},
		{"a\uFFFF", "U+FFFF at byte 1"},
		{"a\U0002FFFE", "U+2FFFE at byte 1"},
		{"a\xFF", "invalid UTF-8 at byte 1"},
		{strings.Repeat("x", topic.MaxBytes+1), "65536 bytes"},
		{strings.Repeat("x", topic.MaxBytes-topic.MaxValueBytes+1) + "{type}", "could reach 65536 bytes"},
		{strings.Repeat("{device}", 256), "could reach 65536 bytes"},
	}
	for _, test := range tests {
		_, err := topic.Compile(test.template)
		if err == nil || !strings.Contains(err.Error(), test.reason) || len(err.Error()) > 200 {
			t.Errorf("Compile(%.50q): got %v, want %q", test.template, err, test.reason)
		}
	}
	compile(t, strings.Repeat("x", topic.MaxBytes))
	longest := compile(t, strings.Repeat("{device}", 255)+strings.Repeat("x", 255))
	env := dataapi.Envelope{Meta: dataapi.Meta{Device: []byte(strings.Repeat("🚀", 100))}}
	if got := len(longest.Append(nil, &env)); got != topic.MaxBytes {
		t.Errorf("the longest topic has %d bytes", got)
	}
}

// illegal says why s is not a topic name, in Unicode's own words; empty if it is one.
func illegal(s string) string {
	switch {
	case s == "":
		return "empty"
	case len(s) > 65535:
		return "too long"
	case !utf8.ValidString(s):
		return "not UTF-8"
	case strings.ContainsAny(s, "+#"):
		return "wildcard"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "control character"
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Noncharacter_Code_Point, r) }):
		return "noncharacter"
	}
	return ""
}

func BenchmarkAppend(b *testing.B) {
	bad := uplink
	bad.Meta.Device = []byte("0004a30b/é/\x00c8d5e")
	for _, bench := range []struct {
		name, template string
		env            *dataapi.Envelope
	}{
		{"usual", "lora/{type}/{device}", &uplink},
		{"all", "{network}/{application}/{device}/{device_addr}/{gateway}/{type}", &uplink},
		{"sanitized", "lora/{type}/{device}", &bad},
	} {
		b.Run(bench.name, func(b *testing.B) {
			template := compile(b, bench.template)
			dst := make([]byte, 0, 256)
			b.ReportAllocs()
			for b.Loop() {
				dst = template.Append(dst[:0], bench.env)
			}
		})
	}
}
