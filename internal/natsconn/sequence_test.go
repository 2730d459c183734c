package natsconn_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/lorry-mqtt/lorry/internal/natsconn"
)

func TestAWriteOnAnOutdatedSequenceIsKnown(t *testing.T) {
	code := func(e *server.ApiError) error {
		return fmt.Errorf("write: %w", &jetstream.APIError{ErrorCode: jetstream.ErrorCode(e.ErrCode)})
	}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{code(server.NewJSStreamWrongLastSequenceError(7)), true},
		{code(server.NewJSStreamWrongLastSequenceConstantError()), true}, // of a stream with several copies
		{code(server.NewJSStreamNotFoundError()), false},
		{errors.New("no answer"), false},
		{nil, false},
	} {
		if got := natsconn.IsWrongLastSequence(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
