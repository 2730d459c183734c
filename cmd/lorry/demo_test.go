package main

import (
	"strings"
	"testing"
)

func TestDemo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	demo := inBackground(t, "demo", "--rate", "200", "--seed", "42")
	demo.stdout.await("← the application answers")
	if status := demo.ends(); status != 0 {
		t.Errorf("it ended with %d: %s\n%s", status, demo.stderr, demo.stdout)
	}
	if shown := demo.stdout.String(); !strings.HasPrefix(shown, "seed             42\nNetwork Server   ws://") ||
		!strings.Contains(shown, "\nlost                                 0\n") {
		t.Error(shown)
	}
}

func TestDemoWithoutASingleFrame(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	got := lorry(t, "demo", "--rate", "1e-9", "--for", "1ns") // the first frame would come after 30 years
	if got.status != exitFailure || got.stderr != "lorry: nothing was sent before the demo ended, so nothing was shown\n" {
		t.Errorf("%+v", got)
	}
}
