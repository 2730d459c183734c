package actors

import (
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/messages"
)

// state is what a connection knows of its condition. Every change is logged once; an error that repeats is
// logged when it changes.
type state struct {
	log      zerolog.Logger
	counters *telemetry.Counters
	current  messages.Status
	buffer   map[string]string // what fails in the buffer, by child
}

func newState(spec connection.Spec, deps *Deps, log zerolog.Logger) *state {
	now := time.Now()
	return &state{
		log: log, counters: deps.Metrics.Connection(spec.ID), buffer: map[string]string{},
		current: messages.Status{
			ID: spec.ID, Node: deps.Node, State: telemetry.Stopped, Since: now,
			Broker: messages.BrokerStatus{State: telemetry.Stopped, Since: now},
			Source: messages.SourceStatus{State: messages.SourceConnecting, Since: now},
		},
	}
}

// set changes the state of the connection as a whole.
func (s *state) set(to telemetry.State, err error) {
	s.counters.State.Set(to)
	if err != nil {
		s.current.Broker.LastError = err.Error()
	}
	if s.current.State == to {
		return
	}
	s.current.State, s.current.Since = to, time.Now()
	event := s.log.Info()
	if err != nil {
		event = s.log.Warn().Err(err)
	}
	event.Str("state", string(to)).Msg("connection changed state")
}

func (s *state) brokerChanged(m *messages.BrokerChanged) {
	b := &s.current.Broker
	if m.Err != nil && m.Err.Error() != b.LastError {
		b.LastError = m.Err.Error()
		s.log.Warn().Str("end", "broker").Err(m.Err).Int("attempt", m.Attempt).Time("retry_at", m.RetryAt).Msg("no session with the broker")
	}
	if m.State == telemetry.Connected {
		b.LastError = ""
	}
	if b.State != m.State {
		b.State, b.Since = m.State, time.Now()
	}
	b.Attempt, b.RetryAt = m.Attempt, nil
	if !m.RetryAt.IsZero() {
		b.RetryAt = &m.RetryAt
	}
	if m.State == telemetry.Connecting && s.current.State == telemetry.Backoff {
		return // an attempt after a failure is still the failure, until it succeeds
	}
	s.set(m.State, nil)
}

func (s *state) subscriptionChanged(m *messages.SubscriptionChanged, filter string) {
	if m.Err == nil {
		s.log.Info().Str("end", "broker").Str("topic_down", filter).Msg("subscribed")
		return
	}
	if text := m.Err.Error(); text != s.current.Broker.LastError {
		s.current.Broker.LastError = text
		s.log.Warn().Str("end", "broker").Err(m.Err).Str("topic_down", filter).Msg("no subscription: downlinks do not arrive")
	}
}

func (s *state) sourceChanged(m *messages.SourceChanged) {
	c := &s.current.Source
	if m.Err != nil && m.Err.Error() != c.LastError {
		c.LastError = m.Err.Error()
		s.log.Warn().Str("end", "source").Err(m.Err).Time("retry_at", m.RetryAt).Msg("no session with the Network Server")
	}
	if c.State == m.State {
		return
	}
	c.State, c.Since = m.State, time.Now()
	if m.State == messages.SourceStreaming || m.State == messages.SourceReplaying {
		c.LastError = ""
		s.log.Info().Str("end", "source").Str("state", string(m.State)).Msg("reading from the Network Server")
	}
}

func (s *state) bufferChanged(m *messages.BufferChanged) {
	text := ""
	if m.Err != nil {
		text = m.Err.Error()
	}
	if s.buffer[m.Child] == text {
		return
	}
	s.buffer[m.Child] = text
	if m.Err != nil {
		s.current.Source.LastError = text
		s.log.Error().Str("actor", m.Child).Err(m.Err).Msg("the buffer fails")
		return
	}
	s.current.Source.LastError = ""
	s.log.Info().Str("actor", m.Child).Msg("the buffer works again")
}

func (s *state) framesEvicted(m *messages.FramesEvicted) {
	n := m.Last - m.First + 1
	s.counters.FramesEvicted.Add("limits", n)
	s.log.Error().Uint64("first", m.First).Uint64("last", m.Last).Uint64("frames", n).
		Msg("the buffer's limits removed frames before they were published")
}

// lag refreshes the gauges of what is not known to be acknowledged.
func (s *state) lag(c *shared) {
	frames := c.frames.Last() - min(c.floor.load().Number, c.frames.Last())
	s.counters.LagFrames.Store(int64(frames)) //nolint:gosec // a count of stored frames
	age := time.Duration(0)
	if frames > 0 {
		age = c.behind.age()
	}
	s.counters.Lag.Set(age)
}

func (s *state) stopped() {
	s.current.Broker.State = telemetry.Stopped
	s.set(telemetry.Stopped, nil)
}

// status is the answer to GetStatus.
func (s *state) status() messages.Status {
	current := s.current
	current.Lag = messages.Lag{Frames: s.counters.LagFrames.Load(), Seconds: s.counters.Lag.Load().Seconds()}
	current.InFlight = s.counters.InFlight.Load()
	current.Counters = s.counters.Snapshot()
	return current
}

// failureText is what a panic was about.
func failureText(failure any) string { return fmt.Sprint(failure) }
