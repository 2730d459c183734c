package dataapi_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// edges are what a reader of JSON may get wrong, in a message or as one.
var edges = []string{
	`"`, `"\`, `"\u00`, `"\u00g0"`, `"\ud83d\ude80"`, `"\uD83Dx"`, `"\"\\\/\b\f\n\r\t"`, `"\x"`, "\"\x7F\"", "\"\x1F\"", "\"\xC0\x80\"",
	"\"\xF4\x90\x80\x80\"", "\"\xE2\x82\"", `"é€🚀"`, `-`, `-0`, `01`, `1.`, `.5`, `1e`, `1e+`, `1E-7`, `1e999`, `-1e-999`,
	`123456789012345678901234567890123456789.5`, `tru`, `true`, `truex`, `nul`, `False`, `NaN`, `[1,]`, `[,1]`, `[1 2]`, `{"a"}`,
	`{"a":}`, `{"a":1,}`, `{,}`, `{1:2}`, "[\v]", "\u00A0 1", `[]]`, `{}}`, `{"tx_time":1.5,"tx_time":"x"}`, `{"tx\u005ftime":2}`, `-1.5`,
	`[` + strings.Repeat(`{},[],`, dataapi.MaxDepth) + `0]`,
}

// wrappings are where in a message an edge may be.
var wrappings = []string{
	`%`, `{"type":%}`, `{"type":"info","meta":%}`, `{"type":"info","meta":{"device":%,"time":%}}`, `{"type":"info","params":%}`,
	` { "params" : {"tx_time": % } , "a" : [ % , {"b":%} ] , "type" : "a\/b" } `, `{"type":"info"}%`, `{"meta":%,"meta":{},"type":"info"}`,
	`{"type":"info","params":{"tx_time":1},"params":%}`,
}

// seeds are messages and what is nearly one.
func seeds(tb testing.TB) (all [][]byte) {
	tb.Helper()
	for _, raw := range fixtures(tb) {
		all = append(all, raw)
	}
	for _, raw := range oddities {
		all = append(all, []byte(raw))
	}
	for _, wrapping := range wrappings {
		for _, edge := range edges {
			all = append(all, []byte(strings.ReplaceAll(wrapping, "%", edge)))
		}
	}
	for _, size := range []int{200, 560, 4096} {
		ns, err := simulator.New(simulator.Config{Devices: 3, Flood: simulator.Flood{Size: size}})
		if err != nil {
			tb.Fatal(err)
		}
		for n := range uint64(3) {
			all = append(all, bytes.Clone(ns.FloodFrame(n+1)))
		}
	}
	return all
}

// Scan and the reader before it, which asked gjson, say the same of everything, to the letter.
func FuzzScanReference(f *testing.F) {
	for _, raw := range seeds(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) { compare(t, raw) })
}

// The same for messages in any style, whole and with a fault.
func TestScanMatchesReference(t *testing.T) {
	messages := seeds(t)
	fragments := append([]string{"", "\x00", " ", ",", ":", "{", "}", "[", "]", "\"", "\\", "\x80"}, edges...)
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SampledFrom(messages).Draw(t, "message")
		if message, ok := parse(raw); ok {
			raw = message.text(drawStyle(t))
		}
		compare(t, raw)
		from := rapid.IntRange(0, len(raw)).Draw(t, "from")
		to := min(len(raw), from+rapid.IntRange(0, 3).Draw(t, "removed"))
		with := rapid.SampledFrom(fragments).Draw(t, "added")
		compare(t, []byte(string(raw[:from])+with+string(raw[to:])))
	})
}

func compare(t rapid.TB, raw []byte) {
	t.Helper()
	got, err := dataapi.Scan(raw)
	want, wantErr := scanWithGjson(raw)
	if !reflect.DeepEqual(got, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Fatalf("Scan(%q)\n got %+v, %v\nwant %+v, %v", raw, got, err, want, wantErr)
	}
	for _, kind := range []error{dataapi.ErrNotJSON, dataapi.ErrNotObject, dataapi.ErrNoType, dataapi.ErrBadMeta} {
		if errors.Is(err, kind) != errors.Is(wantErr, kind) {
			t.Fatalf("Scan(%q) fails with another error: %v", raw, err)
		}
	}
	if _, identityErr := dataapi.Identify(raw); (identityErr == nil) != (checkWithGjson(raw) == nil) {
		t.Fatalf("Identify(%q): %v", raw, identityErr)
	}
}
