package dataapi_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// Every change of any one thing in any fixture makes another message, and no two of them share an identity.
func TestIdentifyNoticesEveryChange(t *testing.T) {
	essences := map[dataapi.Identity]string{}
	changes := 0
	record := func(message tree) {
		raw := message.text(plain)
		id, essence := identify(t, raw), message.essence("")
		if other, ok := essences[id]; ok && other != essence {
			t.Errorf("one identity for\n%s\n%s", essence, other)
		}
		essences[id] = essence
		changes++
	}
	for name, raw := range fixtures(t) {
		message, _ := parse(raw)
		original := identify(t, raw)
		record(message)
		mutate(message, "", func(changed tree, path string) {
			if changed.kind != '{' {
				return // no longer a message
			}
			record(changed)
			if identify(t, changed.text(plain)) == original && path != "/meta/history" {
				t.Errorf("%s: a change at %s goes unnoticed: %s", name, path, changed.text(plain))
			}
		})
	}
	t.Logf("%d messages, %d identities", changes, len(essences))
}

// mutate calls yield with every message that differs from t in one thing, and with the place of the difference.
func mutate(t tree, path string, yield func(changed tree, path string)) {
	if t.kind != '{' && t.kind != '[' {
		for _, scalar := range otherScalars(t) {
			yield(scalar, path)
		}
		return
	}
	yield(tree{scalar: "null"}, path)
	yield(tree{kind: t.kind ^ '{' ^ '[', keys: make([]string, len(t.values)), values: t.values}, path)
	yield(t.joined("null"), path)
	yield(t.joined("0"), path)
	for i := range t.values {
		below := path + "[]"
		if t.kind == '{' {
			below = path + "/" + t.keys[i]
			for _, key := range otherTexts(t.keys[i]) {
				yield(t.renamed(i, key), below)
			}
		}
		yield(t.without(i), below)
		yield(t.doubled(i), below)
		if t.kind == '[' && i > 0 && t.values[i].essence("") != t.values[i-1].essence("") {
			swapped := slices.Clone(t.values)
			swapped[i], swapped[i-1] = swapped[i-1], swapped[i]
			yield(tree{kind: t.kind, values: swapped}, below)
		}
		mutate(t.values[i], below, func(changed tree, path string) {
			values := slices.Clone(t.values)
			values[i] = changed
			yield(tree{kind: t.kind, keys: t.keys, values: values}, path)
		})
	}
}

// joined is t with a value more, under a key that it does not have.
func (t tree) joined(scalar string) tree {
	joined := tree{kind: t.kind, values: append(slices.Clone(t.values), tree{scalar: scalar})}
	if t.kind == '{' {
		joined.keys = append(slices.Clone(t.keys), "another")
	}
	return joined
}

func (t tree) renamed(i int, key string) tree {
	keys := slices.Clone(t.keys)
	keys[i] = key
	return tree{kind: t.kind, keys: keys, values: t.values}
}

func (t tree) without(i int) tree {
	changed := tree{kind: t.kind, values: slices.Delete(slices.Clone(t.values), i, i+1)}
	if t.kind == '{' {
		changed.keys = slices.Delete(slices.Clone(t.keys), i, i+1)
	}
	return changed
}

func (t tree) doubled(i int) tree {
	changed := tree{kind: t.kind, values: slices.Insert(slices.Clone(t.values), i, t.values[i])}
	if t.kind == '{' {
		changed.keys = slices.Insert(slices.Clone(t.keys), i, t.keys[i])
	}
	return changed
}

// otherScalars returns values that are not t, most of them barely.
func otherScalars(t tree) []tree {
	others := []tree{{kind: '{'}, {kind: '['}, {kind: '[', values: []tree{t}}, {kind: '{', keys: []string{""}, values: []tree{t}}}
	if t.kind == '"' {
		others = append(others, tree{scalar: "null"})
		for _, text := range otherTexts(t.scalar) {
			others = append(others, tree{kind: '"', scalar: text})
		}
		return others
	}
	others = append(others, tree{kind: '"', scalar: t.scalar})
	for _, literal := range []string{"null", "true", "false", "0"} {
		if literal != t.scalar {
			others = append(others, tree{scalar: literal})
		}
	}
	for _, number := range otherNumbers(t.scalar) {
		others = append(others, tree{scalar: number})
	}
	return others
}

// otherTexts returns strings that differ from text in one character: one more, one less, another.
func otherTexts(text string) []string {
	others := []string{text + "\x00", text + "~"}
	for i, r := range text {
		rest := text[i+utf8.RuneLen(r):]
		others = append(others, text[:i]+"~"+text[i:], text[:i]+rest, text[:i]+"~"+rest)
		if other := unicode.SimpleFold(r); other != r {
			others = append(others, text[:i]+string(other)+rest)
		}
	}
	return others
}

// otherNumbers returns what differs from a number in one digit or in its sign, and what says the same number in other
// ways. It returns none for a literal.
func otherNumbers(number string) (others []string) {
	if last := number[len(number)-1]; last < '0' || last > '9' {
		return nil
	}
	candidates := []string{"-" + number, strings.TrimPrefix(number, "-"), number + "0", number + ".0", number + "e0", number + "E0", number + "e+0"}
	for i := range len(number) {
		candidates = append(candidates, number[:i]+number[i+1:])
		if number[i] >= '0' && number[i] <= '9' {
			candidates = append(candidates, number[:i]+string('0'+(number[i]-'0'+1)%10)+number[i+1:])
		}
	}
	for _, c := range candidates {
		if c != number && json.Valid([]byte(c)) {
			others = append(others, c)
		}
	}
	return others
}
