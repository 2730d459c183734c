package connection_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

// A secret that appears in whatever can be made of a connection without asking for it fails here.
func TestNothingShowsSecrets(t *testing.T) {
	s := full(t)
	outputs := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		outputs[verb] = fmt.Sprintf(verb, s) + fmt.Sprintf(verb, &s) + fmt.Sprintf(verb, s.URI)
	}
	for name, marshal := range map[string]func(any) ([]byte, error){"json": json.Marshal, "yaml": yaml.Marshal} {
		text, err := marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		outputs[name] = string(text)
		for _, want := range []string{"wss://user:***@broker.example:8884/ws", "lora/{type}/{device}", "X-Api-Key", "1m", "1.5s"} {
			if !strings.Contains(outputs[name], want) {
				t.Errorf("%s lacks %s: %s", name, want, text)
			}
		}
	}
	for name, text := range outputs {
		for _, leak := range []string{"hunter", fmt.Sprintf("%x", "hunter"), "104 117 110 116", s.TLS.Key.Reveal()[40:60]} {
			if strings.Contains(text, leak) {
				t.Errorf("%s shows a secret: %s", name, text)
			}
		}
	}
}

// The three encodings have one shape, and a stored connection comes back as it was.
func TestRoundTrips(t *testing.T) {
	for name, s := range map[string]connection.Spec{"full": full(t), "minimal": minimal(), "defaults": connection.Defaults()} {
		stored, err := s.MarshalStored()
		if err != nil {
			t.Fatal(err)
		}
		if back, faults := connection.DecodeJSON(stored); len(faults) > 0 || !reflect.DeepEqual(back, s) {
			t.Errorf("%s: stored %s\nback %+v, %v", name, stored, back, faults)
		}
		var viaStandard connection.Spec
		if err := json.Unmarshal(stored, &viaStandard); err != nil || !reflect.DeepEqual(viaStandard, s) {
			t.Errorf("%s: encoding/json: %+v, %v", name, viaStandard, err)
		}

		asJSON, jsonErr := json.Marshal(s)
		asYAML, yamlErr := yaml.Marshal(s)
		if jsonErr != nil || yamlErr != nil {
			t.Fatal(jsonErr, yamlErr)
		}
		fromJSON, faults := connection.DecodeJSON(asJSON)
		if len(faults) > 0 {
			t.Errorf("%s: masked JSON does not decode: %v", name, faults)
		}
		fromYAML, faults := connection.DecodeYAML(asYAML)
		if len(faults) > 0 || !reflect.DeepEqual(fromJSON, fromYAML) {
			t.Errorf("%s: JSON %+v\nYAML %+v\n%v", name, fromJSON, fromYAML, faults)
		}
	}
}

func TestJSONAndYAMLNamesAgree(t *testing.T) {
	var check func(reflect.Type)
	check = func(typ reflect.Type) {
		for f := range typ.Fields() {
			if !f.IsExported() {
				continue
			}
			if f.Tag.Get("json") != f.Tag.Get("yaml") || f.Tag.Get("json") == "" {
				t.Errorf("%s.%s: json %q, yaml %q", typ, f.Name, f.Tag.Get("json"), f.Tag.Get("yaml"))
			}
			if f.Type.Kind() == reflect.Struct {
				check(f.Type)
			}
		}
	}
	check(reflect.TypeFor[connection.Spec]())
}

func TestStoredTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 20, -1)
		s := minimal()
		s.URI = connection.NewURI(text.Draw(t, "uri"))
		s.Description = text.Draw(t, "description")
		s.Source.AccessToken = secret.New(text.Draw(t, "token"))
		s.Tags = rapid.MapOfN(text, text, 0, 3).Draw(t, "tags")
		s.MQTT.KeepAlive = connection.Duration(rapid.Int64().Draw(t, "keep_alive"))
		s.WebSocket.Headers = map[string]secret.String{text.Draw(t, "header"): secret.New(text.Draw(t, "value"))}
		stored, err := s.MarshalStored()
		if err != nil {
			t.Fatal(err)
		}
		if back, faults := connection.DecodeJSON(stored); len(faults) > 0 || !reflect.DeepEqual(back, s) {
			t.Fatalf("stored %s\nback %+v, %v", stored, back, faults)
		}
	})
}
