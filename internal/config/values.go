package config

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
)

// ByteSize is a number of bytes, written with a unit: "512MiB", "10GiB", "1GB", or "0".
type ByteSize int64

var byteUnits = []struct {
	name string
	size int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1},
}

// String writes the size in the largest unit that divides it, of 1024 before of 1000.
func (s ByteSize) String() string {
	for _, u := range byteUnits {
		if s != 0 && int64(s)%u.size == 0 {
			return strconv.FormatInt(int64(s)/u.size, 10) + u.name
		}
	}
	return "0B"
}

// MarshalText encodes as [ByteSize.String] writes.
func (s ByteSize) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText decodes a whole number with a unit, with or without a space between; a number alone is bytes.
func (s *ByteSize) UnmarshalText(text []byte) error {
	digits := strings.TrimRight(string(text), "BKMGTik ")
	unit := strings.TrimSpace(string(text)[len(digits):])
	if unit == "" {
		unit = "B"
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	i := slices.IndexFunc(byteUnits, func(u struct {
		name string
		size int64
	}) bool {
		return u.name == unit
	})
	if errors.Is(err, strconv.ErrSyntax) || i < 0 || strings.HasPrefix(digits, "+") {
		return errors.New("must be a whole number with a unit, such as 512MiB or 10GiB")
	}
	if err != nil || n > math.MaxInt64/byteUnits[i].size || n < math.MinInt64/byteUnits[i].size {
		return fmt.Errorf("must be at most %d bytes", int64(math.MaxInt64))
	}
	*s = ByteSize(n * byteUnits[i].size)
	return nil
}

// Sync is how often the embedded server syncs its files: after every write, or at an interval.
type Sync struct {
	Always   bool
	Interval time.Duration // when not Always
}

// String returns "always" or the interval.
func (s Sync) String() string {
	if s.Always {
		return "always"
	}
	return Duration(s.Interval).String()
}

// MarshalText encodes as [Sync.String] writes.
func (s Sync) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText decodes "always" or a [Duration].
func (s *Sync) UnmarshalText(text []byte) error {
	if string(text) == "always" {
		*s = Sync{Always: true}
		return nil
	}
	var d Duration
	if err := d.UnmarshalText(text); err != nil {
		return errors.New("must be always, or an interval such as 1s")
	}
	*s = Sync{Interval: time.Duration(d)}
	return nil
}

// Servers is a list of server URLs written with commas between, any of which will do.
type Servers []connection.URI

// String writes the list with passwords masked.
func (s Servers) String() string { return s.join(connection.URI.String) }

// Reveal writes the list with passwords.
func (s Servers) Reveal() string { return s.join(connection.URI.Reveal) }

func (s Servers) join(text func(connection.URI) string) string {
	parts := make([]string, len(s))
	for i, u := range s {
		parts[i] = text(u)
	}
	return strings.Join(parts, ",")
}

// MarshalText encodes as [Servers.String] writes.
func (s Servers) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText decodes URLs with commas between; spaces around them do not count. No text is no server.
func (s *Servers) UnmarshalText(text []byte) error {
	*s = nil
	if strings.TrimSpace(string(text)) == "" {
		return nil
	}
	for part := range strings.SplitSeq(string(text), ",") {
		if part = strings.TrimSpace(part); part == "" {
			return errors.New("has a comma too many")
		}
		*s = append(*s, connection.NewURI(part))
	}
	return nil
}
