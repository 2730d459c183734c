package dataapi_test

import (
	"slices"
	"strings"
	"testing"

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
	for i := range t.values {
		below := path + "[]"
		if t.kind == '{' {
			below = path + "/" + t.keys[i]
			yield(t.renamed(i), below)
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

func (t tree) renamed(i int) tree {
	keys := slices.Clone(t.keys)
	keys[i] += "_"
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
	others := []tree{{kind: '{'}, {kind: '['}, {kind: '[', values: []tree{t}}}
	if t.kind == '"' {
		others = append(others, tree{scalar: "null"}, tree{kind: '"', scalar: t.scalar + "\x00"})
		for i := range t.scalar {
			others = append(others, tree{kind: '"', scalar: t.scalar[:i] + "~" + t.scalar[i:]})
		}
		return others
	}
	others = append(others, tree{kind: '"', scalar: t.scalar})
	for _, literal := range []string{"null", "true", "false", "0"} {
		if literal != t.scalar {
			others = append(others, tree{scalar: literal})
		}
	}
	if last := len(t.scalar) - 1; t.scalar[last] >= '0' && t.scalar[last] <= '9' {
		others = append(others, tree{scalar: t.scalar[:last] + string('0'+(t.scalar[last]-'0'+1)%10)})
		if !strings.ContainsAny(t.scalar, "eE") {
			others = append(others, tree{scalar: t.scalar + "e0"}) // the same number, written otherwise
		}
	}
	return others
}
