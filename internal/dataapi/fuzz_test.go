package dataapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

var oddities = []string{
	``, `{}`, `[]`, `null`, `{"type":"info","type":5}`, `{"typ\u0065":"x","meta":{"devic\u0065":"\ud800\udc00\ud800"}}`,
	`{"type":"info","meta":{"time":1e999,"device":-0.0}}`, `{"type":"status","params":{}}`, "{\"type\":\"\xff\"}",
	`{"meta":{"history":true,"history":[]},"meta":{}}`, `{"type":"info","params":` + strings.Repeat("[", 130),
}

// Scan agrees with encoding/json about what a message is and about all that it extracts.
func FuzzScan(f *testing.F) {
	for _, raw := range fixtures(f) {
		f.Add(raw)
	}
	for _, raw := range oddities {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		got, err := dataapi.Scan(raw)
		want, wantErr := decode(raw)
		if !errors.Is(err, wantErr) {
			t.Fatalf("got error %v, want %v", err, wantErr)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		if !bytes.Equal(raw, before) {
			t.Fatalf("the message was changed")
		}
	})
}

// decode does Scan's work with encoding/json.
func decode(raw []byte) (env dataapi.Envelope, err error) {
	message, ok := parse(raw)
	if !ok || !utf8.Valid(raw) || message.depth() > dataapi.MaxDepth {
		return env, dataapi.ErrNotJSON
	}
	if message.kind != '{' {
		return env, dataapi.ErrNotObject
	}
	top := decodeObject(raw)
	var kind string
	if json.Unmarshal(top["type"], &kind) != nil || kind == "" || len(kind) > dataapi.MaxTypeBytes {
		return env, dataapi.ErrNoType
	}
	if meta, ok := top["meta"]; ok && meta[0] != '{' {
		return env, dataapi.ErrBadMeta
	}
	meta, params := decodeObject(top["meta"]), decodeObject(top["params"])
	return dataapi.Envelope{
		Type: dataapi.Type(kind),
		Meta: dataapi.Meta{
			Network:     decodeText(meta["network"]),
			Application: decodeText(meta["application"]),
			Device:      decodeText(meta["device"]),
			DeviceAddr:  decodeText(meta["device_addr"]),
			Gateway:     decodeText(meta["gateway"]),
			PacketHash:  decodeText(meta["packet_hash"]),
			PacketID:    decodeText(meta["packet_id"]),
			Time:        decodeSeconds(meta["time"]),
			History:     string(meta["history"]) == "true",
		},
		TxTime: decodeSeconds(params["tx_time"]),
		Bare:   params != nil && len(params) == 0 || top["params"] == nil || string(top["params"]) == "null",
	}, nil
}

// decodeObject returns an object's members, and nil for anything else.
func decodeObject(raw []byte) (members map[string]json.RawMessage) {
	_ = json.Unmarshal(raw, &members)
	return members
}

func decodeText(raw json.RawMessage) []byte {
	var value any
	_ = json.Unmarshal(raw, &value)
	switch value := value.(type) {
	case string:
		return slices.Clip(append([]byte(nil), value...))
	case float64, bool:
		return raw
	}
	if len(raw) > 0 && strings.ContainsRune("-0123456789", rune(raw[0])) {
		return raw // a number that no float64 can hold
	}
	return nil
}

func decodeSeconds(raw json.RawMessage) (seconds float64) {
	_ = json.Unmarshal(raw, &seconds)
	return seconds
}

// Identify accepts what is an object, does not care how it is written, and notices a change of one byte
// exactly when the change means something.
func FuzzIdentify(f *testing.F) {
	for _, raw := range fixtures(f) {
		f.Add(raw, uint(len(raw)/2), byte('1'))
	}
	for _, raw := range oddities {
		f.Add([]byte(raw), uint(len(raw)/2), byte(' '))
	}
	f.Fuzz(func(t *testing.T, raw []byte, at uint, with byte) {
		id, err := dataapi.Identify(raw)
		message, ok := parse(raw)
		if ok = ok && utf8.Valid(raw) && message.kind == '{' && message.depth() <= dataapi.MaxDepth; ok != (err == nil) {
			t.Fatalf("an object is %t, but: %v", ok, err)
		}
		if !ok {
			return
		}
		reversed := plain
		reversed.order = func(n int) []int { order := plain.order(n); slices.Reverse(order); return order }
		reversed.space = func() string { return " " }
		lone := bytes.Contains(bytes.ToLower(raw), []byte(`\ud`)) // lone surrogates look alike to encoding/json
		if !lone && identify(t, message.text(reversed)) != id {
			t.Fatalf("another identity: %s", message.text(reversed))
		}

		other := bytes.Clone(raw)
		other[at%uint(len(raw))] = with
		otherID, err := dataapi.Identify(other)
		if err != nil {
			return
		}
		otherMessage, _ := parse(other)
		same := message.essence("") == otherMessage.essence("")
		if !same && otherID == id || same && otherID != id && !lone {
			t.Fatalf("one message is %t, one identity %t: %s", same, otherID == id, other)
		}
	})
}

// Of any two messages, Identify says that they are one exactly when encoding/json and a comparison of trees do.
func FuzzIdentifyTwo(f *testing.F) {
	var all [][]byte
	for _, raw := range fixtures(f) {
		all = append(all, raw)
	}
	for i, raw := range all {
		f.Add(raw, all[(i+1)%len(all)])
		message, _ := parse(raw)
		f.Add(raw, message.text(plain)) // the same without space
		f.Add(raw, bytes.Replace(raw, []byte(`"meta":{`), []byte(`"meta":{"history":true,`), 1))
	}
	for _, raw := range oddities {
		f.Add([]byte(raw), []byte(raw))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		idA, errA := dataapi.Identify(a)
		idB, errB := dataapi.Identify(b)
		if errA != nil || errB != nil {
			return
		}
		messageA, _ := parse(a)
		messageB, _ := parse(b)
		same := messageA.essence("") == messageB.essence("")
		lone := bytes.Contains(bytes.ToLower(slices.Concat(a, b)), []byte(`\ud`)) // lone surrogates look alike to encoding/json
		if !same && idA == idB || same && idA != idB && !lone {
			t.Fatalf("one message is %t, one identity %t", same, idA == idB)
		}
	})
}
