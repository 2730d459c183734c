package actors

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server/ats"
	"go.uber.org/goleak"
)

// TestMain keeps the NATS server's one global goroutine, a clock that all its file stores share, running
// outside of every test: a server may then live in a bubble of testing/synctest.
func TestMain(m *testing.M) {
	ats.Register()
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}
