package registry

import (
	"fmt"
	"strings"

	"github.com/lorry-mqtt/lorry/internal/connection"
)

// pausedSuffix makes the key of an ID's pause. No ID holds a dot.
const pausedSuffix = ".paused"

// splitKey returns the ID that a key belongs to, and whether the key is that of its pause.
func splitKey(key string) (id string, pause bool) {
	return strings.CutSuffix(key, pausedSuffix)
}

// decode reads a stored connection. Its error says what is wrong with which field, and shows no secret.
func decode(id string, data []byte) (connection.Spec, error) {
	spec, faults := connection.DecodeJSON(data)
	if err := faults.Err(); err != nil {
		return connection.Spec{}, fmt.Errorf("decode stored connection %q: %w", id, err)
	}
	if spec.ID != id {
		return connection.Spec{}, fmt.Errorf("decode stored connection %q: it calls itself %q", id, spec.ID)
	}
	return spec, nil
}
