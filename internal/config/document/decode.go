package document

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/fault"
)

// Unmarshaler is a type that decodes itself, because its fields have defaults of their own.
type Unmarshaler interface {
	UnmarshalDocument(*Node) fault.List
}

// Decode fills the struct that into points to, by its `yaml` field tags, and returns every fault with its path.
// What the document does not mention, or has as null, keeps its value: put the defaults there first.
//
// Keys are matched exactly; unknown and repeated ones are faults. Types that implement [Unmarshaler] or
// encoding.TextUnmarshaler decode themselves; lists and maps replace what was there.
func (n *Node) Decode(into any) fault.List {
	var d decoder
	d.value("", n, reflect.ValueOf(into).Elem())
	return d.faults
}

type decoder struct{ faults fault.List }

func (d *decoder) value(path string, n *Node, v reflect.Value) {
	if n.Kind == Null {
		return
	}
	switch u := v.Addr().Interface().(type) {
	case Unmarshaler:
		d.faults = append(d.faults, u.UnmarshalDocument(n).Prefixed(path)...)
		return
	case encoding.TextUnmarshaler:
		d.text(path, n, func(s string) error { return u.UnmarshalText([]byte(s)) })
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.fields(path, n, v)
	case reflect.Map:
		d.entries(path, n, v)
	case reflect.Slice:
		d.items(path, n, v)
	case reflect.String:
		d.text(path, n, func(s string) error { v.SetString(s); return nil })
	case reflect.Bool:
		if d.is(path, n, Bool) {
			v.SetBool(strings.EqualFold(n.Text, "true"))
		}
	case reflect.Int, reflect.Int64:
		if d.is(path, n, Int) {
			d.integer(path, n, v)
		}
	default:
		panic(fmt.Sprintf("document: %s: a field of type %s cannot be decoded", path, v.Type()))
	}
}

// is reports whether the node is of that kind, and a fault when not. No value is quoted: it may be a misplaced secret.
func (d *decoder) is(path string, n *Node, want Kind) bool {
	if n.Kind != want {
		d.faults.Add(path, "must be %s, is %s", want, n.Kind)
	}
	return n.Kind == want
}

func (d *decoder) text(path string, n *Node, set func(string) error) {
	scalar := n.Kind == Bool || n.Kind == Int || n.Kind == Float
	switch {
	case scalar && !n.Bare:
		d.faults.Add(path, "must be text, is %s: put it in quotes", n.Kind)
	case !scalar && n.Kind != Text:
		d.faults.Add(path, "must be text, is %s", n.Kind)
	default:
		if err := set(n.Text); err != nil {
			d.faults.Add(path, "%s", err)
		}
	}
}

func (d *decoder) integer(path string, n *Node, v reflect.Value) {
	i, err := parseInt(n.Text)
	switch {
	case err != nil:
		d.faults.Add(path, "must be a whole number, in decimal digits, that fits 64 bits")
	case v.OverflowInt(i):
		d.faults.Add(path, "is out of range")
	default:
		v.SetInt(i)
	}
}

// parseInt reads a decimal number, which YAML may have with "_" between digits.
func parseInt(s string) (int64, error) {
	return strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64)
}

func (d *decoder) fields(path string, n *Node, v reflect.Value) {
	if !d.is(path, n, Map) {
		return
	}
	known := Fields(v.Type())
	seen := map[string]bool{}
	for _, f := range n.Fields {
		at := Child(path, f.Name)
		j := slices.IndexFunc(known, func(k reflect.StructField) bool { return Name(k) == f.Name })
		switch {
		case j < 0:
			d.faults.Add(at, "is unknown; known here: %s", names(known))
		case seen[f.Name]:
			d.repeated(at, f)
		default:
			seen[f.Name] = true
			d.value(at, f.Value, v.FieldByIndex(known[j].Index))
		}
	}
}

func (d *decoder) repeated(path string, f Field) {
	d.faults.Add(path, "is given more than once, again on line %d", f.Value.Place.Line)
}

func (d *decoder) entries(path string, n *Node, v reflect.Value) {
	if !d.is(path, n, Map) {
		return
	}
	m := reflect.MakeMap(v.Type())
	seen := map[string]bool{}
	for _, f := range n.Fields {
		at := Child(path, f.Name)
		if seen[f.Name] {
			d.repeated(at, f)
			continue
		}
		seen[f.Name] = true
		if f.Value.Kind == Null {
			continue
		}
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(at, f.Value, value)
		m.SetMapIndex(reflect.ValueOf(f.Name), value)
	}
	v.Set(m)
}

func (d *decoder) items(path string, n *Node, v reflect.Value) {
	if !d.is(path, n, List) {
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items))
	for i, item := range n.Items {
		if item.Kind == Null {
			d.faults.Add(Index(path, i), "is empty")
			continue
		}
		d.value(Index(path, i), item, list.Index(i))
	}
	v.Set(list)
}

// Fields returns the fields of a struct type that a document may name.
func Fields(t reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	for f := range t.Fields() {
		if Name(f) != "" {
			fields = append(fields, f)
		}
	}
	return fields
}

// Name returns the name of a struct field in a document, "" when it has none.
func Name(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return strings.TrimPrefix(name, "-")
}

func names(fields []reflect.StructField) string {
	list := make([]string, len(fields))
	for i, f := range fields {
		list[i] = Name(f)
	}
	return strings.Join(list, ", ")
}
