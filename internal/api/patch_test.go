package api

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/connection"
)

// The examples of RFC 7396, appendix A.
func TestMergePatch(t *testing.T) {
	for _, c := range []struct{ target, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
	} {
		target, err := decodeAny([]byte(c.target))
		if err != nil {
			t.Fatal(err)
		}
		patch, err := decodeAny([]byte(c.patch))
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(merge(target, patch))
		if err != nil || string(got) != c.want {
			t.Errorf("%s on %s: %s, %v, want %s", c.patch, c.target, got, err, c.want)
		}
	}
}

// FuzzPatch takes any bytes as a patch of a connection: it is refused, or makes one that the same patch changes no more.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `{"description": "x", "mqtt": {"max_inflight": 7}}`, `{"tags": {"a": null}, "mqtt": null}`,
		`{"uri": "mqtt://u:***@h", "source": {"access_token": "***"}}`, `{"mqtt": {"keep_alive": 1e99}}`, `{"tls": {"alpn": [null]}}`,
	} {
		f.Add([]byte(seed))
	}
	before := connection.Defaults()
	before.ID, before.URI, before.Tags = "acme", connection.NewURI("mqtt://u:p@h"), map[string]string{"a": "b"}
	f.Fuzz(func(t *testing.T, patch []byte) {
		once, err := patched(before, patch)
		if err != nil {
			return
		}
		twice, err := patched(once, patch)
		if err != nil || !reflect.DeepEqual(once, twice) {
			t.Fatalf("once %+v\ntwice %+v, %v", once, twice, err)
		}
	})
}
