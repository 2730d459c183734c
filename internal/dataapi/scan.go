package dataapi

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/tidwall/gjson"
)

// MaxTypeBytes is the length of the longest `type` accepted. The longest that the Data API names has 17 bytes.
const MaxTypeBytes = 256

// Scan checks that raw is a message and extracts its envelope without decoding the rest. It allocates nothing
// unless the type is unknown or a string directly in the message, its meta or its params has escapes.
//
// The message is an object whose `type` is a non-empty string of at most MaxTypeBytes, whose `meta` is an object
// or absent, and whose `params` may be anything or absent; other keys are ignored. Otherwise Scan fails
// with an error that is ErrNotJSON, ErrNotObject, ErrNoType or ErrBadMeta, and an empty envelope.
//
// The envelope's byte slices alias raw: they are valid for as long as raw is left unchanged.
func Scan(raw []byte) (Envelope, error) {
	if err := check(raw); err != nil {
		return Envelope{}, err
	}
	var kind, meta, params gjson.Result
	members(view(raw), func(key string, value gjson.Result) {
		switch key {
		case "type":
			kind = value
		case "meta":
			meta = value
		case "params":
			params = value
		}
	})
	switch {
	case !kind.Exists():
		return Envelope{}, fmt.Errorf("%w: the key is absent", ErrNoType)
	case kind.Type != gjson.String:
		return Envelope{}, fmt.Errorf("%w: not a string at byte %d", ErrNoType, kind.Index)
	case kind.Str == "":
		return Envelope{}, fmt.Errorf("%w: empty string at byte %d", ErrNoType, kind.Index)
	case len(kind.Str) > MaxTypeBytes:
		return Envelope{}, fmt.Errorf("%w: %d bytes at byte %d, at most %d are accepted",
			ErrNoType, len(kind.Str), kind.Index, MaxTypeBytes)
	case meta.Exists() && !meta.IsObject():
		return Envelope{}, fmt.Errorf("%w at byte %d", ErrBadMeta, meta.Index)
	}
	env := Envelope{Type: intern(kind.Str), Meta: scanMeta(raw, meta)}
	env.TxTime, env.Bare = scanParams(params)
	return env, nil
}

// scanMeta extracts the fields of meta, an object in raw or absent.
func scanMeta(raw []byte, meta gjson.Result) (m Meta) {
	members(meta, func(key string, value gjson.Result) {
		switch key {
		case "network":
			m.Network = text(raw, value)
		case "application":
			m.Application = text(raw, value)
		case "device":
			m.Device = text(raw, value)
		case "device_addr":
			m.DeviceAddr = text(raw, value)
		case "gateway":
			m.Gateway = text(raw, value)
		case "packet_hash":
			m.PacketHash = text(raw, value)
		case "packet_id":
			m.PacketID = text(raw, value)
		case "time":
			m.Time = seconds(value)
		case "history":
			m.History = value.Type == gjson.True
		}
	})
	return m
}

// scanParams returns params.tx_time and whether params is absent, null or an empty object.
func scanParams(params gjson.Result) (txTime float64, bare bool) {
	if !params.IsObject() {
		return 0, params.Type == gjson.Null // gjson's type of what is absent, too
	}
	bare = true
	members(params, func(key string, value gjson.Result) {
		bare = false
		if key == "tx_time" {
			txTime = seconds(value)
		}
	})
	return txTime, bare
}

// members calls f with each member of object in the order written, keys decoded, so that the last of equal keys
// has the last word. (gjson's own lookups by path return the first.)
func members(object gjson.Result, f func(key string, value gjson.Result)) {
	object.ForEach(func(key, value gjson.Result) bool {
		f(key.Str, value)
		return true
	})
}

// text returns a value's string, or its number or boolean as written, as a slice of raw if possible.
// It is nil for what [Meta] counts as lacking.
func text(raw []byte, value gjson.Result) []byte {
	start, end := value.Index, value.Index+len(value.Raw)
	switch value.Type {
	case gjson.Number, gjson.True, gjson.False:
		return raw[start:end:end]
	case gjson.String:
		if value.Str == "" {
			return nil
		}
		if len(value.Str) < len(value.Raw)-len(`""`) { // every escape is longer than what it stands for
			return []byte(value.Str)
		}
		return raw[start+1 : end-1 : end-1]
	}
	return nil
}

// seconds returns a number's value, and 0 for anything else and for what no float64 can hold.
func seconds(value gjson.Result) float64 {
	if value.Type != gjson.Number || math.IsInf(value.Num, 0) {
		return 0
	}
	return value.Num
}

// view gives gjson, which reads strings, the message without copying it. Scan keeps no part of the string: Type is
// interned or cloned, and meta's fields are cut from raw itself.
func view(raw []byte) gjson.Result {
	return gjson.Parse(unsafe.String(unsafe.SliceData(raw), len(raw))) //nolint:gosec // nothing keeps the string, nobody writes to raw
}
