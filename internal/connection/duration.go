package connection

import (
	"errors"
	"strings"
	"time"
)

// Duration is a time.Duration that files and the API write as text: "30s", "1m30s", "48h".
type Duration time.Duration

// String writes the duration with its units, leaving out those that are zero: "48h", not "48h0m0s".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText encodes as [Duration.String] writes.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText decodes a decimal number with a unit of ns, us, ms, s, m or h, or several of them, or "0".
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return errors.New("must be a number with a unit, such as 500ms, 30s, 10m or 48h")
	}
	*d = Duration(parsed)
	return nil
}
