package fault_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/fault"
)

func TestAnEmptyListIsNoError(t *testing.T) {
	var l fault.List
	if err := l.Err(); err != nil {
		t.Fatalf("Err() of the zero list = %v, want nil", err)
	}
	if err := l.Prefixed("a").Err(); err != nil {
		t.Fatalf("Err() of the prefixed zero list = %v, want nil", err)
	}
}

func TestErrorListsEveryFaultInOrder(t *testing.T) {
	var l fault.List
	l.Add("uri", "scheme %q is unknown", "http")
	l.Add("", "more than %d bytes", 10)
	l.Add("tags[1]", "%d%%", 100)

	const want = `uri: scheme "http" is unknown; more than 10 bytes; tags[1]: 100%`
	if got := l.Err().Error(); got != want {
		t.Fatalf("Error() =\n%s\nwant\n%s", got, want)
	}
}

func TestAWrappedListIsFoundAgain(t *testing.T) {
	var l fault.List
	l.Add("filter", "is required")
	err := fmt.Errorf("connection %q: %w", "a", l.Err())

	var found fault.List
	if !errors.As(err, &found) {
		t.Fatalf("errors.As found no List in %v", err)
	}
	if !slices.Equal(found, l) {
		t.Fatalf("errors.As gave %v, want %v", found, l)
	}
	if errors.Is(err, errors.New("other")) {
		t.Fatal("a List is taken for another error")
	}
}

func TestPrefixed(t *testing.T) {
	for _, c := range []struct{ prefix, path, want string }{
		{"connections[2]", "uri", "connections[2].uri"},
		{"mqtt", "keep_alive", "mqtt.keep_alive"},
		{"tags", "[0]", "tags[0]"},
		{"tags", "[0].name", "tags[0].name"},
		{"source", "", "source"},
		{"", "uri", "uri"},
		{"", "", ""},
	} {
		l := fault.List{{Path: c.path, Reason: "r"}}
		got := l.Prefixed(c.prefix)
		if want := (fault.List{{Path: c.want, Reason: "r"}}); !slices.Equal(got, want) {
			t.Errorf("%q under %q = %v, want %v", c.path, c.prefix, got, want)
		}
		if l[0].Path != c.path {
			t.Errorf("%q under %q changed the list it was called on", c.path, c.prefix)
		}
	}
}

func TestJSON(t *testing.T) {
	var l fault.List
	l.Add("uri", "is required")
	b, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(b), `[{"path":"uri","reason":"is required"}]`; got != want {
		t.Fatalf("JSON = %s, want %s", got, want)
	}
}
