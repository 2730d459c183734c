package actors

import (
	"errors"

	"github.com/lorry-mqtt/lorry/internal/broker"
	"github.com/lorry-mqtt/lorry/internal/source"
)

// brokerCause names in a word why an MQTT session ended or could not begin, for metrics.
func brokerCause(err error) string {
	var connack *broker.ConnackError
	var staged *broker.Error
	switch {
	case errors.Is(err, errAckTimeout):
		return "ack_timeout"
	case errors.Is(err, broker.ErrKeepAlive):
		return "keep_alive"
	case errors.Is(err, broker.ErrWriteTimeout):
		return "write_timeout"
	case errors.Is(err, broker.ErrConnectTimeout):
		return "connect_timeout"
	case errors.As(err, &connack):
		return "connack"
	case errors.Is(err, broker.ErrClosedByBroker):
		return "closed_by_broker"
	case errors.Is(err, broker.ErrReset):
		return "reset"
	case errors.As(err, &staged):
		return string(staged.Stage)
	default:
		return "other"
	}
}

// sourceCause names in a word why a Data API session ended or could not begin, for metrics.
func sourceCause(err error) string {
	var ended *source.EndedError
	var dial *source.DialError
	switch {
	case errors.As(err, &ended):
		return string(ended.Reason)
	case errors.As(err, &dial):
		return string(dial.Stage)
	default:
		return "other"
	}
}
