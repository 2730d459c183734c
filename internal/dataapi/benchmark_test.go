package dataapi_test

import (
	"testing"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// usualFrame is an uplink of 560 bytes, the size that the project's figures are for.
func usualFrame(b *testing.B) []byte {
	raw := fixture(b, "uplink.json")
	if len(raw) != 560 {
		b.Fatalf("uplink.json has %d bytes", len(raw))
	}
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	return raw
}

func BenchmarkScan(b *testing.B) {
	raw := usualFrame(b)
	for b.Loop() {
		if _, err := dataapi.Scan(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIdentify(b *testing.B) {
	raw := usualFrame(b)
	for b.Loop() {
		if _, err := dataapi.Identify(raw); err != nil {
			b.Fatal(err)
		}
	}
}
