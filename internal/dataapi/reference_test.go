package dataapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// scanWithGjson does Scan's work with gjson, as Scan did: it checks everything, then parses what it needs once more.
func scanWithGjson(raw []byte) (env dataapi.Envelope, err error) {
	if err := checkWithGjson(raw); err != nil {
		return env, err
	}
	var kind, meta, params gjson.Result
	gjson.ParseBytes(raw).ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "type":
			kind = value
		case "meta":
			meta = value
		case "params":
			params = value
		}
		return true
	})
	switch {
	case !kind.Exists():
		return env, fmt.Errorf("%w: the key is absent", dataapi.ErrNoType)
	case kind.Type != gjson.String:
		return env, fmt.Errorf("%w: not a string at byte %d", dataapi.ErrNoType, kind.Index)
	case kind.Str == "":
		return env, fmt.Errorf("%w: empty string at byte %d", dataapi.ErrNoType, kind.Index)
	case len(kind.Str) > dataapi.MaxTypeBytes:
		return env, fmt.Errorf("%w: %d bytes at byte %d, at most %d are accepted",
			dataapi.ErrNoType, len(kind.Str), kind.Index, dataapi.MaxTypeBytes)
	case meta.Exists() && !meta.IsObject():
		return env, fmt.Errorf("%w at byte %d", dataapi.ErrBadMeta, meta.Index)
	}
	env = dataapi.Envelope{Type: dataapi.Type(kind.Str), Meta: metaOfGjson(meta), Bare: params.Type == gjson.Null}
	if params.IsObject() {
		env.Bare = true
		params.ForEach(func(key, value gjson.Result) bool {
			env.Bare = false
			if key.Str == "tx_time" {
				env.TxTime = secondsOfGjson(value)
			}
			return true
		})
	}
	return env, nil
}

func metaOfGjson(meta gjson.Result) (m dataapi.Meta) {
	fields := map[string]*[]byte{
		"network": &m.Network, "application": &m.Application, "device": &m.Device, "device_addr": &m.DeviceAddr,
		"gateway": &m.Gateway, "packet_hash": &m.PacketHash, "packet_id": &m.PacketID,
	}
	meta.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "time":
			m.Time = secondsOfGjson(value)
		case "history":
			m.History = value.Type == gjson.True
		default:
			if field := fields[key.Str]; field != nil {
				*field = textOfGjson(value)
			}
		}
		return true
	})
	return m
}

func textOfGjson(value gjson.Result) []byte {
	switch {
	case value.Type == gjson.Number, value.IsBool():
		return []byte(value.Raw)
	case value.Type == gjson.String && value.Str != "":
		return []byte(value.Str)
	}
	return nil
}

func secondsOfGjson(value gjson.Result) float64 {
	if value.Type != gjson.Number || math.IsInf(value.Num, 0) {
		return 0
	}
	return value.Num
}

// checkWithGjson returns what Scan and Identify had against raw before anything was read of it.
func checkWithGjson(raw []byte) error {
	if at := invalidUTF8(raw); at < len(raw) {
		return fmt.Errorf("%w: invalid UTF-8 at byte %d", dataapi.ErrNotJSON, at)
	}
	if at := tooDeep(raw); at < len(raw) {
		return fmt.Errorf("%w: nested deeper than %d levels at byte %d", dataapi.ErrNotJSON, dataapi.MaxDepth, at)
	}
	if !gjson.ValidBytes(raw) {
		var ignored json.RawMessage
		err := json.Unmarshal(raw, &ignored)
		fault, ok := errors.AsType[*json.SyntaxError](err)
		if !ok {
			return fmt.Errorf("%w: only gjson says so, encoding/json: %w", dataapi.ErrNotJSON, err)
		}
		return fmt.Errorf("%w: %s at byte %d", dataapi.ErrNotJSON, fault.Error(), fault.Offset)
	}
	if begin := bytes.TrimLeft(raw, " \t\r\n")[0]; begin != '{' {
		return fmt.Errorf("%w: it begins with %q", dataapi.ErrNotObject, begin)
	}
	return nil
}

// invalidUTF8 returns the offset of the first byte that is not part of a UTF-8 sequence, or the length of raw.
func invalidUTF8(raw []byte) (at int) {
	for at < len(raw) {
		r, size := utf8.DecodeRune(raw[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

// tooDeep returns the offset of the bracket that opens one level too many, or the length of raw.
func tooDeep(raw []byte) int {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '{', '[':
			if depth++; depth > dataapi.MaxDepth {
				return i
			}
		case '}', ']':
			depth--
		case '"':
			for i++; i < len(raw) && raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
		}
	}
	return len(raw)
}
