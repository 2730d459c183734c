package natsconn

import (
	"fmt"

	"github.com/rs/zerolog"
)

// serverLog passes the embedded server's log lines on. Its notices are start-up chatter and go to debug.
type serverLog struct{ log zerolog.Logger }

func (l *serverLog) line(e *zerolog.Event, format string, v []any) {
	e.Str("line", fmt.Sprintf(format, v...)).Msg("embedded nats-server")
}

func (l *serverLog) Noticef(format string, v ...any) { l.line(l.log.Debug(), format, v) }
func (l *serverLog) Warnf(format string, v ...any)   { l.line(l.log.Warn(), format, v) }
func (l *serverLog) Errorf(format string, v ...any)  { l.line(l.log.Error(), format, v) }
func (l *serverLog) Fatalf(format string, v ...any)  { l.line(l.log.Error(), format, v) }
func (l *serverLog) Debugf(format string, v ...any)  { l.line(l.log.Trace(), format, v) }
func (l *serverLog) Tracef(format string, v ...any)  { l.line(l.log.Trace(), format, v) }
