package part

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func TestRecorder(t *testing.T) {
	messages, sent := messagesOf(t, dataapi.DownlinkRequest, 3)
	r := newRecorder()
	r.take(sent[1].Add(2*time.Millisecond), messages[1])
	r.take(sent[0].Add(5*time.Millisecond), messages[0])
	r.take(sent[1].Add(time.Second), messages[1])
	r.take(sent[2], []byte("{}"))
	want := []Sample{{2, sent[1], 2 * time.Millisecond}, {1, sent[0], 5 * time.Millisecond}}
	if got := r.taken(); !slices.EqualFunc(got, want, equal) {
		t.Errorf("got %v, want %v", got, want)
	}
	for i, want := range []uint64{2, 1, 1} {
		if got := r.numbers()[i]; got.value.Load() != want {
			t.Errorf("%s is %d, want %d", got.name, got.value.Load(), want)
		}
	}
}

func equal(a, b Sample) bool { return a.Number == b.Number && a.Sent.Equal(b.Sent) && a.Took == b.Took }

func TestReadSamples(t *testing.T) {
	for text, fault := range map[string]string{
		"1 2\n":                      "2 fields",
		"1 2 3 4\n":                  "4 fields",
		"1 2 3\n\n":                  "1 fields",
		"-1 2 3\n":                   "invalid syntax",
		"1 x 3\n":                    "invalid syntax",
		"1 2 3.5\n":                  "invalid syntax",
		"1 2 9223372036854775807\n":  "it took",
		strings.Repeat("1", 100_000): "too long",
	} {
		if got, err := ReadSamples(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%.20q: got %v, %v; want %q", text, got, err, fault)
		}
	}
}

// FuzzReadSamples checks that what can be read is what is written.
func FuzzReadSamples(f *testing.F) {
	f.Add("1 1700000000000000 150\n2 1700000000001000 -3\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		samples, err := ReadSamples(strings.NewReader(text))
		if err != nil {
			return
		}
		var out bytes.Buffer
		writeSamples(&out, samples)
		again, err := ReadSamples(&out)
		if err != nil || !slices.EqualFunc(samples, again, equal) {
			t.Fatalf("%v became %v: %v", samples, again, err)
		}
	})
}
