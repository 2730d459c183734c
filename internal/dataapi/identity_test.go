package dataapi_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func identify(tb rapid.TB, raw []byte) dataapi.Identity {
	tb.Helper()
	id, err := dataapi.Identify(raw)
	if err != nil {
		tb.Fatalf("Identify(%.200s): %v", raw, err)
	}
	return id
}

func TestIdentify(t *testing.T) {
	same := [][]string{
		{`{}`, ` { } `},
		{`{"a":1,"b":2}`, "{\t\"b\" : 2 ,\r\n\"a\":1}"},
		{`{"a":"é/\n\"🚀"}`, `{"\u0061":"\u00E9\/\u000a\u0022\uD83D\uDE80"}`},
		{
			`{"meta":{"time":1}}`, `{"meta":{"time":1,"history":true}}`, `{"meta":{"history":false,"time":1}}`,
			`{"meta":{"h\u0069story":{"a":["b"]},"time":1}}`, `{"meta":{"history":1,"time":1,"history":null}}`,
		},
		{`{"meta":{}}`, `{"meta":{"history":true}}`},
		{`{"meta":{"history":true},"meta":{}}`, `{"meta":{},"meta":{}}`},
	}
	for _, group := range same {
		want := identify(t, []byte(group[0]))
		for _, raw := range group[1:] {
			if identify(t, []byte(raw)) != want {
				t.Errorf("%s and %s are the same message", group[0], raw)
			}
		}
	}
	different := []string{
		`{}`, `{"meta":{}}`, `{"meta":null}`, `{"meta":[]}`, `{"history":true}`, `{"history":false}`,
		`{"params":{"history":true}}`, `{"params":{"history":false}}`, `{"meta":{"meta":{"history":true}}}`,
		`{"meta":{"meta":{}}}`, `{"meta":[{"history":true}]}`, `{"meta":[{}]}`, `{"meta":{"History":true}}`,
		`{"a":1,"a":2}`, `{"a":2,"a":1}`, `{"a":1}`, `{"a":2}`, `{"a":1,"a":1}`,
		`{"a":5}`, `{"a":5.0}`, `{"a":5e0}`, `{"a":5E0}`, `{"a":"5"}`, `{"a":-0}`, `{"a":0}`,
		`{"a":1765432101.1837642}`, `{"a":1765432101.1837643}`,
		`{"a":null}`, `{"a":"null"}`, `{"a":""}`, `{"a":[]}`, `{"a":{}}`, `{"a":[[]]}`, `{"a":[{}]}`, `{"a":[""]}`,
		`{"a":[1,2]}`, `{"a":[2,1]}`, `{"a":[12]}`, `{"a":[[1],2]}`, `{"a":[1,[2]]}`, `{"a":["1","2"]}`,
		`{"a":["1\",\"2"]}`, `{"":"a"}`, `{"a":{"b":1},"c":2}`, `{"a":{"b":1,"c":2}}`, `{"ab":1}`, `{"a":"b"}`,
		`{"a":"\ud800"}`, `{"a":"\ud801"}`, `{"a":"\udc00"}`, `{"a":"\ufffd"}`, `{"a":"\udc00\ud800"}`,
		`{"a":{"b":"c"},"d":"e"}`, `{"a":"b","c":{},"d":"e"}`, `{"a":["b"],"d":"e"}`, `{"a":"b","c":[],"d":"e"}`,
		`{"a":"\ud800\udc00"}`, `{"a":"\ud800\\udc00"}`, `{"a":"\u0000"}`, `{"a":"\u00ff"}`, `{"a":"ÿ"," ":1}`,
	}
	seen := map[dataapi.Identity]string{}
	for _, raw := range different {
		id := identify(t, []byte(raw))
		if other, ok := seen[id]; ok {
			t.Errorf("%s and %s share an identity", raw, other)
		}
		seen[id] = raw
	}
}

// Many equal keys keep their order, as it decides which one counts.
func TestIdentifyEqualKeys(t *testing.T) {
	const n = 100
	object := func(key func(i int) string, value func(i int) int) []byte {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprintf(`%q:%d`, key(i), value(i)))
		}
		return []byte("{" + strings.Join(members, ",") + "}")
	}
	apart := func(i int) string { return string("ba"[2*i/n]) }
	mixed := func(i int) string { return string("ba"[i%2]) }
	asTheyCome := func(i int) int { return i }
	bySide := func(i int) int { return i%2*n/2 + i/2 } // pairs with mixed what asTheyCome pairs with apart

	want := identify(t, object(apart, asTheyCome))
	if identify(t, object(mixed, bySide)) != want {
		t.Error("the order between different keys counts")
	}
	for i := range n - 1 {
		swapped := func(j int) int {
			switch j {
			case i:
				return i + 1
			case i + 1:
				return i
			}
			return j
		}
		if identify(t, object(apart, swapped)) == want {
			t.Errorf("members %d and %d may be exchanged", i, i+1)
		}
	}
}

func TestIdentifyRefuses(t *testing.T) {
	tests := []struct {
		raw  string
		want error
	}{
		{``, dataapi.ErrNotJSON},
		{`{"a":1`, dataapi.ErrNotJSON},
		{"{\"a\":\"\xFF\"}", dataapi.ErrNotJSON},
		{strings.Repeat(`{"a":`, 1_000_000), dataapi.ErrNotJSON},
		{`[]`, dataapi.ErrNotObject},
	}
	for _, test := range tests {
		if id, err := dataapi.Identify([]byte(test.raw)); !errors.Is(err, test.want) || id != (dataapi.Identity{}) {
			t.Errorf("Identify(%.40s) = %x, %v, want %v", test.raw, id, err, test.want)
		}
	}
}

// One message has one identity, however it is written and whether or not it comes from history.
func TestIdentifyIsInvariant(t *testing.T) {
	messages := fixtures(t)
	names := make([]string, 0, len(messages))
	for name := range messages {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(t *rapid.T) {
		raw := messages[rapid.SampledFrom(names).Draw(t, "fixture")]
		message, _ := parse(raw)
		meta := &message.values[slices.Index(message.keys, "meta")]
		if history := rapid.SampledFrom([]string{"", "true", "false"}).Draw(t, "history"); history != "" {
			meta.keys = append(meta.keys, "history")
			meta.values = append(meta.values, tree{scalar: history})
		}
		rewritten := message.text(drawStyle(t))
		if identify(t, rewritten) != identify(t, raw) {
			t.Fatalf("another identity:\n%s\n%s", raw, rewritten)
		}
	})
}

func drawStyle(t *rapid.T) style {
	return style{
		order: func(n int) []int { return rapid.Permutation(plain.order(n)).Draw(t, "order") },
		space: func() string { return rapid.SampledFrom([]string{"", "", " ", "\t\r\n"}).Draw(t, "space") },
		escape: func(r rune) (string, bool) {
			if r > 0xFFFF || rapid.IntRange(0, 9).Draw(t, "escape") > 0 {
				return "", false
			}
			return fmt.Sprintf(rapid.SampledFrom([]string{`\u%04x`, `\u%04X`}).Draw(t, "case"), r), true
		},
	}
}

// Any two objects share an identity exactly if their essence is the same.
func TestIdentifyMatchesEssence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawObject(t, 3)
		others := []tree{a, drawObject(t, 3)}
		mutate(a, "", func(changed tree, _ string) {
			if changed.kind == '{' {
				others = append(others, changed)
			}
		})
		b := rapid.SampledFrom(others).Draw(t, "other")
		same := a.essence("") == b.essence("")
		if got := identify(t, a.text(plain)) == identify(t, b.text(drawStyle(t))); got != same {
			t.Fatalf("one identity is %t:\n%s\n%s", got, a.text(plain), b.text(plain))
		}
	})
}

// drawObject draws from objects made of little else than what could confuse Identify.
func drawObject(t *rapid.T, depth int) tree {
	object := tree{kind: '{'}
	for range rapid.IntRange(0, 2).Draw(t, "members") {
		object.keys = append(object.keys, rapid.SampledFrom([]string{"meta", "history", "a"}).Draw(t, "key"))
		object.values = append(object.values, drawValue(t, depth-1))
	}
	return object
}

func drawValue(t *rapid.T, depth int) tree {
	kinds := []byte{0, '"', '[', '{', '{'}
	if depth == 0 {
		kinds = kinds[:2]
	}
	switch kind := rapid.SampledFrom(kinds).Draw(t, "kind"); kind {
	case '{':
		return drawObject(t, depth)
	case '[':
		array := tree{kind: kind}
		for range rapid.IntRange(0, 2).Draw(t, "elements") {
			array.values = append(array.values, drawValue(t, depth-1))
		}
		return array
	case '"':
		return tree{kind: kind, scalar: rapid.SampledFrom([]string{"", "1"}).Draw(t, "string")}
	default:
		return tree{scalar: rapid.SampledFrom([]string{"1", "true"}).Draw(t, "scalar")}
	}
}
