package registry

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// FuzzDecode takes any bytes as a stored connection: it decodes to one of that ID which is stored the same way again,
// or says why not.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"minimal.json", "full.json"} {
		seed, err := os.ReadFile("../connection/testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add("acme-prod", seed)
	}
	f.Add("a", []byte(`{"id": "b"}`))
	f.Add("", []byte(`null`))
	f.Fuzz(func(t *testing.T, id string, data []byte) {
		s, err := decode(id, data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "decode stored connection ") {
				t.Fatal(err)
			}
			return
		}
		if s.ID != id {
			t.Fatalf("%q decodes under %q", s.ID, id)
		}
		stored, err := s.MarshalStored()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode(id, stored); err != nil {
			t.Fatalf("stored again as %s: %v", stored, err)
		}
	})
}

// BenchmarkLoad is what a node does with ten thousand stored connections when it starts.
func BenchmarkLoad(b *testing.B) {
	const connections = 10_000
	nats := testkit.StartNATS(b)
	writer, err := Open(b.Context(), nats.JetStream, 1, nil, zerolog.Nop())
	if err != nil {
		b.Fatal(err)
	}
	for i := range connections {
		if _, err := writer.Create(b.Context(), spec(fmt.Sprintf("c%05d", i))); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		r, err := Open(b.Context(), nats.JetStream, 1, nil, zerolog.Nop())
		if err != nil {
			b.Fatal(err)
		}
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r.Watch(ctx, func(string) {})
		}()
		<-r.Synced()
		cancel()
		<-ended
		if n := len(r.List()); n != connections {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/load")
}
