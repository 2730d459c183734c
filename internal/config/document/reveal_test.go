package document_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lorry-mqtt/lorry/internal/config/document"
	"github.com/lorry-mqtt/lorry/internal/secret"
)

type stored struct {
	Text   string                   `yaml:"text"`
	Token  secret.String            `yaml:"token"`
	Tokens map[string]secret.String `yaml:"tokens"`
	List   []secret.String          `yaml:"list"`
	Inner  struct {
		N  int  `yaml:"n"`
		On bool `yaml:"on"`
	} `yaml:"inner"`
}

func TestRevealedDecodesIntoTheSame(t *testing.T) {
	s := stored{Text: "1e5", Token: secret.New("*hunter2"), Tokens: map[string]secret.String{"a.b": secret.New("true")},
		List: []secret.String{secret.New("\x00\xc3\xa9\"")}}
	s.Inner.N, s.Inner.On = 7, true
	for _, c := range []struct {
		parser
		marshal func(any) ([]byte, error)
	}{{yamlParser, yaml.Marshal}, {jsonParser, json.Marshal}} {
		text, err := c.marshal(document.Revealed(s))
		if err != nil {
			t.Fatal(err)
		}
		var back stored
		if faults := c.decode(t, string(text), &back); len(faults) > 0 || !reflect.DeepEqual(back, s) {
			t.Errorf("%s: %s decoded into %+v, %v", c.name, text, back, faults)
		}
	}
}
