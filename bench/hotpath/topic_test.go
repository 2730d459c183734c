package hotpath

import (
	"testing"

	"github.com/lorry-mqtt/lorry/internal/topic"
)

// BenchmarkTopic expands the topics of many devices' frames as the topic-router does: into bytes that it looks up
// among the topics it knows.
func BenchmarkTopic(b *testing.B) {
	for name, source := range map[string]string{
		"two":  "lora/{type}/{device}",
		"all":  "{network}/{application}/{device}/{device_addr}/{gateway}/{type}",
		"none": "lora/uplink",
	} {
		b.Run(name, func(b *testing.B) {
			template, err := topic.Compile(source)
			if err != nil {
				b.Fatal(err)
			}
			frames, known := someFrames(b, 100), map[string]string{}
			var buf []byte
			for i := range frames {
				buf = template.Append(buf[:0], &frames[i].Envelope)
				known[string(buf)] = string(buf)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				buf = template.Append(buf[:0], &frames[i%len(frames)].Envelope)
				if known[string(buf)] == "" {
					b.Fatalf("%s is new", buf)
				}
			}
			reportRate(b)
		})
	}
}
