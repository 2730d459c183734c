package telemetry_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/telemetry"
)

// The operator's page names every metric, with its label, and every state.
func TestEveryMetricIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"`lorry_node_connections{state}`", "`lorry_node_buffer_bytes`"}
	for prefix, counters := range map[string]reflect.Type{
		"lorry_connection_": reflect.TypeFor[telemetry.Counters](), "lorry_node_": reflect.TypeFor[telemetry.Node](),
	} {
		for field := range counters.Fields() {
			name, ok := field.Tag.Lookup("metric")
			if !ok {
				continue
			}
			if label := field.Tag.Get("label"); label != "" {
				name += "{" + label + "}"
			}
			want = append(want, "`"+prefix+name+"`")
		}
	}
	for _, state := range []telemetry.State{
		telemetry.Connecting, telemetry.Connected, telemetry.Backoff, telemetry.Paused, telemetry.Misconfigured, telemetry.Stopped,
	} {
		want = append(want, "| `"+string(state)+"` |")
	}
	for _, name := range want {
		if !strings.Contains(string(text), name) {
			t.Errorf("docs/operations.md lacks %s", name)
		}
	}
}
