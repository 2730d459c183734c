package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
)

// Format is how log entries are written.
type Format string

// The formats.
const (
	FormatJSON    Format = "json"    // an object a line
	FormatConsole Format = "console" // for people; coloured on a terminal unless NO_COLOR is set
)

// ParseLevel reads a level: trace, debug, info, warn or error.
func ParseLevel(s string) (zerolog.Level, error) {
	switch s {
	case "trace", "debug", "info", "warn", "error":
		return zerolog.ParseLevel(s)
	}
	return zerolog.NoLevel, errors.New("must be trace, debug, info, warn or error")
}

// ParseFormat reads a format: json or console.
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case FormatJSON, FormatConsole:
		return f, nil
	}
	return "", fmt.Errorf("must be %s or %s", FormatJSON, FormatConsole)
}

// NewLogger returns a logger that writes entries of the level and above to w, with the time in UTC and milliseconds
// (RFC 3339). An entry is one Write.
func NewLogger(w io.Writer, level, format string) (zerolog.Logger, error) {
	l, err := ParseLevel(level)
	if err != nil {
		return zerolog.Nop(), fmt.Errorf("log level %q %w", level, err)
	}
	f, err := ParseFormat(format)
	if err != nil {
		return zerolog.Nop(), fmt.Errorf("log format %q %w", format, err)
	}
	if f == FormatConsole {
		w = console(w)
	}
	return zerolog.New(w).Level(l).Hook(timestamp{}), nil
}

// timeFormat is RFC 3339 with milliseconds. zerolog's own timestamps take theirs from a global variable.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

type timestamp struct{}

func (timestamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(zerolog.TimestampFieldName, time.Now().UTC().Format(timeFormat))
}

func console(w io.Writer) io.Writer {
	file, isFile := w.(*os.File)
	terminal := isFile && isatty.IsTerminal(file.Fd())
	return zerolog.ConsoleWriter{
		Out:             w,
		NoColor:         !terminal || os.Getenv("NO_COLOR") != "",
		FormatTimestamp: func(t any) string { return fmt.Sprint(t) },
	}
}

// NewSlog returns a log/slog logger that writes through l, with l's level, fields and timestamps.
func NewSlog(l zerolog.Logger) *slog.Logger {
	return slog.New(timeless{zerolog.NewSlogHandler(l)})
}

// timeless drops the record's own time, which would be written beside the logger's: zerolog's handler leaves it out
// only for zerolog's own timestamps.
type timeless struct{ slog.Handler }

func (h timeless) Handle(ctx context.Context, r slog.Record) error {
	r.Time = time.Time{}
	return h.Handler.Handle(ctx, r)
}

func (h timeless) WithAttrs(attrs []slog.Attr) slog.Handler {
	return timeless{h.Handler.WithAttrs(attrs)}
}

func (h timeless) WithGroup(name string) slog.Handler { return timeless{h.Handler.WithGroup(name)} }
