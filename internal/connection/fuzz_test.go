package connection_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/connection"
)

// FuzzDecodeJSON takes any bytes as a connection from the API. What decodes must come back from the store as it was;
// what is valid must stay valid, and must not show its password.
func FuzzDecodeJSON(f *testing.F) {
	for _, name := range []string{"minimal.json", "full.json"} {
		seed, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Add([]byte(`{"uri": "mqtt://u:p@h", "tls": {"key": "***", "alpn": [null]}, "tags": {"a": 1, "a": []}, "mqtt": {"keep_alive": "1e9h"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, faults := connection.DecodeJSON(data)
		complete := s.WithDefaults(node)
		valid := len(complete.Validate()) == 0
		if len(faults) > 0 {
			return
		}
		stored, err := complete.MarshalStored()
		if err != nil {
			t.Fatal(err)
		}
		back, faults := connection.DecodeJSON(stored)
		if len(faults) > 0 || !reflect.DeepEqual(back, complete) {
			t.Fatalf("stored %s\nback %+v, %v", stored, back, faults)
		}
		again, err := back.MarshalStored()
		if err != nil || !bytes.Equal(again, stored) {
			t.Fatalf("stored again %s, %v\nfirst %s", again, err, stored)
		}
		if valid && len(back.Validate()) > 0 {
			t.Fatalf("valid before it was stored: %v", back.Validate())
		}
		masked, err := json.Marshal(complete)
		if err != nil {
			t.Fatal(err)
		}
		if token := complete.Source.AccessToken.Reveal(); len(token) > 20 && strings.Count(string(data), token) == 1 &&
			bytes.Contains(masked, []byte(token)) {
			t.Fatalf("the masked JSON shows the token: %s", masked)
		}
	})
}
