package document

import (
	"encoding"
	"reflect"
)

// Revealer is a secret: masked wherever it is encoded, except here.
type Revealer interface {
	Reveal() string
}

// Revealed returns v as maps, slices and scalars that any encoder writes and [Node.Decode] reads back into an equal
// value, secrets included. What is made of it belongs in no log and in no answer.
func Revealed(v any) any { return revealed(reflect.ValueOf(v)) }

func revealed(v reflect.Value) any {
	switch t := v.Interface().(type) {
	case Revealer:
		return t.Reveal()
	case encoding.TextMarshaler:
		text, err := t.MarshalText()
		if err != nil {
			panic("document: a configuration value did not encode: " + err.Error())
		}
		return string(text)
	}
	switch v.Kind() {
	case reflect.Struct:
		m := map[string]any{}
		for _, f := range Fields(v.Type()) {
			m[Name(f)] = revealed(v.FieldByIndex(f.Index))
		}
		return m
	case reflect.Map:
		m := map[string]any{}
		for _, key := range v.MapKeys() {
			m[key.String()] = revealed(v.MapIndex(key))
		}
		return m
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = revealed(v.Index(i))
		}
		return list
	}
	return v.Interface()
}
