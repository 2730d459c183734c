package actors

import (
	"math"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/echo"
	"github.com/lorry-mqtt/lorry/internal/eventlog"
	"github.com/lorry-mqtt/lorry/messages"
)

// maxShownTopic bounds how much of a topic is logged, in bytes.
const maxShownTopic = 200

// echoMend is what to do about an echo.
const echoMend = "a bridge at the broker, or another client, copies what is published on topic_up to topic_down: stop it there, " +
	"or give this connection another topic_down; nothing of it is sent to the Network Server"

// cameBack counts a message of the Network Server's own that was discarded.
func (s *subscriber) cameBack(m *messages.DownlinkArrived) {
	if s.echo.Note(m.At, m.Topic) {
		s.life.after(echo.Window, lookForEcho{})
	}
}

// lookForEcho logs that an echo has begun, has grown or is over, and nothing in between.
func (s *subscriber) lookForEcho() {
	found, again := s.echo.Look(time.Now())
	if again {
		s.life.after(echo.Window, lookForEcho{})
	}
	switch found.Kind {
	case echo.Begun, echo.Risen:
		s.echoEvent(eventlog.Warn, "the Network Server's own messages come back on topic_down", found)
		s.echoEntry(s.log.Warn(), found).Str("mend", echoMend).Msg("echo: the Network Server's own messages come back on topic_down")
	case echo.Over:
		s.echoEvent(eventlog.Info, "none of the Network Server's own messages comes back any more", found)
		s.echoEntry(s.log.Info(), found).Stringer("lasted", found.Lasted).Msg("echo is over")
	case echo.Nothing:
	}
}

func (s *subscriber) echoEntry(entry *zerolog.Event, found echo.Finding) *zerolog.Event {
	return entry.Str("actor", subscriberName).Str("topic", shownTopic(found.Topic)).Int("messages", found.Messages).
		Float64("per_second", math.Round(found.PerSecond*100)/100)
}

// echoEvent tells it to those who look at the connection.
func (s *subscriber) echoEvent(level eventlog.Level, message string, found echo.Finding) {
	s.Events.Add(s.spec.ID, eventlog.Event{
		Level: level, Kind: eventlog.EchoChanged, Message: message + ": " + shownTopic(found.Topic), Count: uint64(found.Messages),
	})
}

// shownTopic is as much of a topic as is logged.
func shownTopic(topic string) string {
	if len(topic) <= maxShownTopic {
		return topic
	}
	return strings.ToValidUTF8(topic[:maxShownTopic], "") + "…"
}
