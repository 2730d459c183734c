package hotpath

import (
	"testing"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/topic"
)

// templates are those that topics are measured with.
var templates = []struct{ name, source string }{
	{"two", "lora/{type}/{device}"},
	{"all", "{network}/{application}/{device}/{device_addr}/{gateway}/{type}"},
	{"none", "lora/uplink"},
}

// topics expands topics as the topic-router does: into bytes that it looks up among the topics it knows.
type topics struct {
	template *topic.Template
	known    map[string]string
	buf      []byte
}

// newTopics knows the frames' topics.
func newTopics(tb testing.TB, source string, frames []dataapi.Frame) *topics {
	tb.Helper()
	template, err := topic.Compile(source)
	if err != nil {
		tb.Fatal(err)
	}
	t := &topics{template: template, known: map[string]string{}}
	for i := range frames {
		name := string(template.Append(nil, &frames[i].Envelope))
		t.known[name] = name
	}
	return t
}

func (t *topics) of(frame *dataapi.Frame) string {
	t.buf = t.template.Append(t.buf[:0], &frame.Envelope)
	return t.known[string(t.buf)]
}

// BenchmarkTopic expands the topics of many devices' frames.
func BenchmarkTopic(b *testing.B) {
	for _, template := range templates {
		b.Run(template.name, func(b *testing.B) {
			frames := someFrames(b, 100)
			t := newTopics(b, template.source, frames)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if t.of(&frames[i%len(frames)]) == "" {
					b.Fatalf("%s is new", t.buf)
				}
			}
			reportRate(b)
		})
	}
}
