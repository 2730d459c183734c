package dataapi_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// scansIfJSON checks that Scan accepts raw exactly if encoding/json does. There is nothing else to be had against raw.
func scansIfJSON(t *testing.T, raw string) {
	t.Helper()
	_, err := dataapi.Scan([]byte(raw))
	if want := json.Valid([]byte(raw)) && utf8.ValidString(raw); (err == nil) != want {
		t.Errorf("Scan(%q): JSON is %t, but: %v", raw, want, err)
	}
}

// texts calls f with every text of at most n of the pieces.
func texts(n int, pieces []string, f func(text string)) {
	f("")
	if n > 0 {
		for _, piece := range pieces {
			texts(n-1, pieces, func(text string) { f(piece + text) })
		}
	}
}

// Strings are read eight bytes at a time: each kind of character is looked for at each place among others.
func TestScanStrings(t *testing.T) {
	characters := []string{
		"\u0080", "é", "€", "\uD7FF", "\uE000", "\uFFFF", "🚀", "\U0010FFFF", "\xC0\x80", "\xC1\xBF", "\xC3(", "\xE0\x80\x80", "\xE2\x82",
		"\xED\xA0\x80", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF0\x9F\x9A", "éé🚀é", `\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`,
		`\u0041`, `\ud83d\uDE80`, `\ud83d`, `\ud83d\n`, `\u00e`, `\u004g`, `\u004G`, `\u00/0`, `\u0:00`, `\ug000`, "\\u004\xC1", `\u00Ff`,
		`\U0041`, `\x41`, `\'`, `\ `, "\\\n", `\`, `\\\`, `\\\\`,
	}
	for c := range 0x100 {
		characters = append(characters, string([]byte{byte(c)}))
	}
	for _, character := range characters {
		for before := range 18 {
			for _, behind := range []int{0, 1, 7, 8, 20} {
				text := strings.Repeat("b", before) + character + strings.Repeat("a", behind)
				raw := `{"type":"info","meta":{"device":"` + text + `"}}`
				scansIfJSON(t, raw)
				var want struct{ Meta struct{ Device string } }
				env, err := dataapi.Scan([]byte(raw))
				if err == nil && (json.Unmarshal([]byte(raw), &want) != nil || string(env.Meta.Device) != want.Meta.Device) {
					t.Errorf("Scan(%q) has the device %q, want %q", raw, env.Meta.Device, want.Meta.Device)
				}
			}
		}
	}
}

func TestScanNumbers(t *testing.T) {
	texts(6, []string{"0", "7", "-", "+", ".", "e", "E"}, func(number string) {
		scansIfJSON(t, `{"type":"info","params":`+number+`}`)
	})
}

func TestScanStructure(t *testing.T) {
	texts(5, []string{"{", "}", "[", "]", ",", ":", `"a"`, "0", " "}, func(value string) {
		scansIfJSON(t, `{"type":"info","params":`+value+`}`)
	})
}

func TestScanLiterals(t *testing.T) {
	for _, literal := range []string{"true", "false", "null"} {
		scansIfJSON(t, `{"type":"info","params":[`+literal+`0]}`)
		for i := range literal {
			scansIfJSON(t, `{"type":"info","params":`+literal[:i]+`}`)
			for c := range 0x100 {
				changed := literal[:i] + string([]byte{byte(c)}) + literal[i+1:]
				scansIfJSON(t, `{"type":"info","params":`+changed+`}`)
			}
		}
	}
}

// What is cut short is not JSON, wherever it is cut.
func TestScanRefusesWhatIsCutShort(t *testing.T) {
	for name, raw := range fixtures(t) {
		raw = bytes.TrimSpace(raw)
		for n := range raw {
			if _, err := dataapi.Scan(raw[:n:n]); err == nil {
				t.Errorf("%s: its first %d bytes of %d are a message", name, n, len(raw))
			}
		}
	}
}
