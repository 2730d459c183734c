package dataapi_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fixtures returns every message in testdata by its file's name.
func fixtures(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no fixtures in testdata: %v", err)
	}
	messages := make(map[string][]byte, len(files))
	for _, file := range files {
		messages[strings.TrimSuffix(filepath.Base(file), ".json")] = fixture(tb, filepath.Base(file))
	}
	return messages
}

func fixture(tb testing.TB, file string) []byte {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}
