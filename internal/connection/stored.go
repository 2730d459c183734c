package connection

import (
	"encoding/json"
	"fmt"

	"github.com/lorry-mqtt/lorry/internal/config/document"
)

// MarshalStored encodes the connection as JSON with its secrets revealed: for a store that guards them, never for an
// answer or a log. [DecodeJSON] reads it back into an equal connection. Equal connections have equal bytes.
func (s Spec) MarshalStored() ([]byte, error) {
	b, err := json.Marshal(document.Revealed(s))
	if err != nil {
		return nil, fmt.Errorf("encode connection %q: %w", s.ID, err)
	}
	return b, nil
}
