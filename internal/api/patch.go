package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lorry-mqtt/lorry/internal/config/document"
	"github.com/lorry-mqtt/lorry/internal/connection"
)

func (m *management) change(ctx context.Context, in *replaceInput) (*connectionOutput, error) {
	root, err := document.ParseJSON("", in.RawBody)
	if err != nil {
		return nil, huma.Error400BadRequest("the body " + err.Error())
	}
	if root.Kind != document.Map {
		return nil, huma.Error422UnprocessableEntity("the body must be an object")
	}
	// A patch is as strict as a connection: what it names must be there to be named.
	if _, faults := connection.DecodeJSON(in.RawBody); len(faults) > 0 {
		return nil, faulty(faults)
	}
	return m.update(ctx, in.ID, in.IfMatch, func(before connection.Spec) (connection.Spec, error) {
		return patched(before, in.RawBody)
	})
}

// patched is a connection with a merge patch applied, secrets included.
func patched(before connection.Spec, patch []byte) (connection.Spec, error) {
	stored, err := before.MarshalStored()
	if err != nil {
		return before, err
	}
	target, err := decodeAny(stored)
	if err != nil {
		return before, fmt.Errorf("read back connection %q: %w", before.ID, err)
	}
	change, err := decodeAny(patch)
	if err != nil {
		return before, huma.Error400BadRequest("the body is not JSON: " + err.Error())
	}
	merged, err := json.Marshal(merge(target, change))
	if err != nil {
		return before, fmt.Errorf("write connection %q: %w", before.ID, err)
	}
	after, faults := connection.DecodeJSON(merged)
	if len(faults) > 0 {
		return before, faulty(faults)
	}
	return after, nil
}

func decodeAny(data []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return v, d.Decode(&v)
}

// merge is MergePatch of RFC 7396 §2.
func merge(target, patch any) any {
	change, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	into, ok := target.(map[string]any)
	if !ok {
		into = map[string]any{}
	}
	for name, value := range change {
		if value == nil {
			delete(into, name)
		} else {
			into[name] = merge(into[name], value)
		}
	}
	return into
}
