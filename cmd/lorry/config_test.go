package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// configFiles are the configurations that package config is tested with. What they name is relative to its directory.
func configFiles(t *testing.T, pattern string) []string {
	t.Helper()
	t.Chdir("../../internal/config")
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %v, %v", pattern, names, err)
	}
	return names
}

// wanted is what the comments at the head of a faulty file say, as lorry prints it.
func wanted(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for line := range strings.Lines(string(text)) {
		if fault, ok := strings.CutPrefix(line, "# want: "); ok {
			if fault[0] < '0' || fault[0] > '9' { // there is no line to name
				fault = " " + fault
			}
			want.WriteString(name + ":" + fault)
		}
	}
	return want.String()
}

// Check and run say the same of a faulty file: each fault on a line of its own, and nothing else.
func TestFaultyConfigurations(t *testing.T) {
	for _, name := range configFiles(t, "faults/*.yaml") {
		want := outcome{exitFailure, "", wanted(t, name)}
		for _, command := range []string{"check", "run"} {
			if got := lorry(t, command, "--config", name); got != want {
				t.Errorf("%s %s:\ngot  %+v\nwant %+v", command, name, got, want)
			}
		}
	}
}

func TestCheckGoodConfigurations(t *testing.T) {
	want := map[string]string{
		"empty.yaml": "ok: 0 connections\n", "minimal.yaml": "ok: 1 connection\n", "full.yaml": "ok: 3 connections\n", "external.yaml": "ok: 0 connections\n",
	}
	for _, name := range configFiles(t, "good/*.yaml") {
		got := lorry(t, "check", "--config", name)
		if got.status != 0 || got.stdout != want[filepath.Base(name)] {
			t.Errorf("%s: %+v, want %q", name, got, want[filepath.Base(name)])
		}
		for warning := range strings.Lines(got.stderr) {
			if !strings.HasPrefix(warning, "warning: ") {
				t.Errorf("%s: %s", name, warning)
			}
		}
		if full := strings.HasSuffix(name, "full.yaml"); full != (got.stderr != "") {
			t.Errorf("%s: %q", name, got.stderr)
		}
	}
}

func TestCheckTakesTheEnvironment(t *testing.T) {
	for environ, want := range map[string]outcome{
		"LORRY_LOG_LEVEL=loud":   {exitFailure, "", "LORRY_LOG_LEVEL: log.level: must be trace, debug, info, warn or error\n"},
		"LORRY_CONNECTIONS=[":    {exitFailure, "", "LORRY_CONNECTIONS:1: is not YAML: did not find expected node content\n"},
		"LORRY_LOG_LEVLE=hunter": {0, "ok: 0 connections\n", "warning: environment variable LORRY_LOG_LEVLE is no setting and was ignored\n"},
		"PATH=/bin":              {0, "ok: 0 connections\n", ""},
	} {
		var stdout, stderr bytes.Buffer
		status := run(t.Context(), []string{"check"}, []string{environ}, &stdout, &stderr)
		if got := (outcome{status, stdout.String(), stderr.String()}); got != want {
			t.Errorf("%s: %+v, want %+v", environ, got, want)
		}
	}
}

func TestFilesThatAreNotThere(t *testing.T) {
	for _, command := range []string{"check", "run"} {
		want := outcome{exitFailure, "", "lorry: configuration file \"none.yaml\" does not exist: name one that does with --config\n"}
		if got := lorry(t, command, "--config", "none.yaml"); got != want {
			t.Errorf("%s: %+v", command, got)
		}
		if got := lorry(t, command, "--config", "."); got.status != exitFailure || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: %+v", command, got)
		}
	}
}

func TestRunOnAPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	t.Chdir(t.TempDir())
	config := writeFile(t, "lorry.yaml", "http: {listen: \""+taken.Addr().String()+"\"}\nlog: {level: warn}\n")
	want := outcome{exitFailure, "", "lorry: http.listen: listen tcp " + taken.Addr().String() + ": bind: address already in use " +
		"(is another lorry running? choose another address, or port 0 for a free one)\n"}
	if got := lorry(t, "run", "--config", config); got != want {
		t.Errorf("%+v", got)
	}
	if _, err := os.Stat("lorry-data"); !os.IsNotExist(err) {
		t.Errorf("a store was opened all the same: %v", err)
	}
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
