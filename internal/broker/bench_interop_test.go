//go:build interop

package broker_test

import (
	"testing"

	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// BenchmarkPublishMosquitto is BenchmarkPublish with a broker in a process of its own.
func BenchmarkPublishMosquitto(b *testing.B) {
	m := testkit.StartMosquitto(b, testkit.WithSchemes(schemes...))
	benchmarkPublish(b, m.URI, m.CA())
}
