package process

import (
	"maps"
	"strings"
	"testing"
)

func TestParseNumbers(t *testing.T) {
	got, err := parseNumbers(strings.NewReader(`# HELP a_total What it is.
# TYPE a_total counter
a_total{connection="x y",reason="1"} 3
a_total{connection="z"} 4
b 1.5e+06

`))
	if err != nil {
		t.Fatal(err)
	}
	if want := (map[string]float64{
		"a_total": 7, `a_total{connection="x y",reason="1"}`: 3, `a_total{connection="z"}`: 4, "b": 1.5e6,
	}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := parseNumbers(strings.NewReader("a many\n")); err == nil {
		t.Error("a value that is no number was accepted")
	}
}
