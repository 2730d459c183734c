package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lorry-mqtt/lorry/internal/fault"
	"github.com/lorry-mqtt/lorry/internal/registry"
)

// problem answers with an error as RFC 9457 has it, outside of huma's operations.
func (s *Server) problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	err := json.NewEncoder(w).Encode(huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail})
	if err != nil {
		s.options.Log.Debug().Err(err).Msg("http client went away")
	}
}

// faulty is a request whose body has faults: 422, each with its place.
func faulty(faults fault.List) error {
	details := make([]error, len(faults))
	for i, f := range faults {
		details[i] = &huma.ErrorDetail{Location: inBody(f.Path), Message: f.Reason}
	}
	return huma.Error422UnprocessableEntity("the connection has faults", details...)
}

// inBody is a fault's place as huma names places.
func inBody(path string) string {
	switch {
	case path == "":
		return "body"
	case path[0] == '[':
		return "body" + path
	default:
		return "body." + path
	}
}

// failed turns an error of what the operations work on into an answer.
func (m *management) failed(err error) error {
	var answer huma.StatusError
	switch {
	case errors.As(err, &answer):
		return err
	case errors.Is(err, registry.ErrNotFound):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, registry.ErrExists), errors.Is(err, registry.ErrStatic), errors.Is(err, registry.ErrLeaving), errors.Is(err, ErrNotNow):
		return huma.Error409Conflict(err.Error())
	case errors.Is(err, registry.ErrConflict):
		return huma.Error412PreconditionFailed(err.Error() + ": read it again")
	case errors.Is(err, context.Canceled):
		return huma.NewError(http.StatusServiceUnavailable, "the node is ending")
	}
	m.log.Error().Err(err).Msg("a request failed")
	return huma.Error503ServiceUnavailable("the store does not answer: " + err.Error())
}
