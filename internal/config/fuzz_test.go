package config

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lorry-mqtt/lorry/internal/config/document"
)

// FuzzLoad takes any bytes as a configuration file. What is accepted must be accepted again, and be the same, when it is
// written out and read back.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/faults/*.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			f.Fatal(pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, _, err := parse("f", data, nil)
		if err != nil {
			return
		}
		text, err := yaml.Marshal(document.Revealed(c))
		if err != nil {
			t.Fatal(err)
		}
		back, _, err := parse("g", text, nil)
		if err != nil {
			t.Fatalf("accepted, but not again:\n%s\n%v", text, err)
		}
		if !reflect.DeepEqual(back, c) {
			t.Fatalf("written as\n%s\nread as %+v\nwas     %+v", text, back, c)
		}
		if _, err := yaml.Marshal(c); err != nil {
			t.Fatal(err)
		}
	})
}
