package natsconn

import (
	"errors"

	"github.com/nats-io/nats.go/jetstream"
)

// wrongLastSequenceReplicated is what a stream with several copies may answer instead of
// jetstream.JSErrCodeStreamWrongLastSequence (nats-server's JSStreamWrongLastSequenceConstantErr).
const wrongLastSequenceReplicated jetstream.ErrorCode = 10164

// IsWrongLastSequence reports whether JetStream refused a write because the stream, subject or key has been written
// since the sequence or revision on which the write was conditional.
func IsWrongLastSequence(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == wrongLastSequenceReplicated)
}
