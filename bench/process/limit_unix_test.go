//go:build unix

package process_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/bench/process"
)

// TestOpenFiles looks at what a program is given that does nothing about it.
func TestOpenFiles(t *testing.T) {
	limit, err := process.OpenFiles()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, "ulimit -n; exit 3")
	nowhere, err := process.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.AwaitListening(t.Context(), nowhere); err == nil || !strings.HasSuffix(err.Error(), "\n"+strconv.Itoa(limit)) {
		t.Errorf("with %d open files allowed: %v", limit, err)
	}
}
