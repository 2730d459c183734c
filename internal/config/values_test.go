package config_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lorry-mqtt/lorry/internal/config"
)

func TestByteSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "0B": 0, "1": 1, "1B": 1, "10GiB": 10 << 30, "10 GiB": 10 << 30, "512MiB": 512 << 20, "1KiB": 1024, "1TiB": 1 << 40,
		"1kB": 1000, "1MB": 1e6, "2GB": 2e9, "3TB": 3e12, "-1KiB": -1024, "9223372036854775807": math.MaxInt64,
	} {
		var s config.ByteSize
		if err := s.UnmarshalText([]byte(text)); err != nil || int64(s) != want {
			t.Errorf("%s = %d, %v, want %d", text, s, err, want)
		}
	}
	for _, text := range []string{"", "GiB", "1.5GiB", "1 G", "1gib", "1K", "+1B", "1 000", "1KiB2", "0x10", "1_000", "8388608TiB", "-8388609TiB",
		"99999999999999999999B"} {
		s := config.ByteSize(7)
		if err := s.UnmarshalText([]byte(text)); err == nil || s != 7 {
			t.Errorf("%q is accepted as %d", text, s)
		}
	}
	for size, want := range map[config.ByteSize]string{0: "0B", 1: "1B", 1000: "1kB", 1024: "1KiB", 1536: "1536B", 10 << 30: "10GiB", 5e9: "5GB"} {
		if got := size.String(); got != want {
			t.Errorf("%d is written %s, want %s", int64(size), got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		size := config.ByteSize(rapid.Int64().Draw(t, "size"))
		var back config.ByteSize
		if err := back.UnmarshalText([]byte(size.String())); err != nil || back != size {
			t.Fatalf("%d is written %s and read %d, %v", int64(size), size, int64(back), err)
		}
	})
}

func TestSync(t *testing.T) {
	for text, want := range map[string]config.Sync{"always": {Always: true}, "1s": {Interval: time.Second}, "0": {}} {
		var s config.Sync
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s = %+v, %v", text, s, err)
		}
		if back, err := s.MarshalText(); err != nil || strings.TrimSuffix(string(back), "s") != strings.TrimSuffix(text, "s") {
			t.Errorf("%s is written %s, %v", text, back, err)
		}
	}
}
