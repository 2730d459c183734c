package actors

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/eventlog"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/messages"
)

// state is what a connection knows of its condition. Every change is logged once; an error that repeats is
// logged when it changes.
type state struct {
	log       zerolog.Logger
	counters  *telemetry.Counters
	events    Events
	discarded discards
	current   messages.Status // but for the errors, which are made of:
	broker    troubles
	source    troubles
	failed    map[string]bool // children that have failed and do not run again yet
}

// troubles are what is wrong with one end at present, by what has the trouble.
type troubles map[string]string

// What can have a trouble, besides children and the buffer as each child meets it.
const (
	connectionTrouble   = "connection"
	sessionTrouble      = "session"
	subscriptionTrouble = "subscription"
	historyTrouble      = "history"
	bufferTrouble       = "buffer of "
)

// note replaces the trouble of one, with none if err is nil, and reports whether that is a change.
func (t troubles) note(of string, err error) (changed bool) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if t[of] == text {
		return false
	}
	if t[of] = text; text == "" {
		delete(t, of)
	}
	return true
}

// String is all of them, for a status.
func (t troubles) String() string {
	var texts []string
	for _, of := range slices.Sorted(maps.Keys(t)) {
		if !slices.Contains(texts, t[of]) {
			texts = append(texts, t[of])
		}
	}
	return strings.Join(texts, "; ")
}

func newState(spec connection.Spec, deps *Deps, log zerolog.Logger) *state {
	now, counters := time.Now(), deps.Metrics.Connection(spec.ID)
	return &state{
		log: log, counters: counters, events: deps.Events, discarded: newDiscards(counters), broker: troubles{}, source: troubles{}, failed: map[string]bool{},
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
	s.broker.note(connectionTrouble, err)
	if s.current.State == to {
		return
	}
	s.current.State, s.current.Since = to, time.Now()
	event, level := s.log.Info(), eventlog.Info
	if err != nil {
		event, level = s.log.Warn().Err(err), eventlog.Warn
	}
	s.event(level, eventlog.StateChanged, "connection is "+string(to), err, inState(string(to)))
	event.Str("state", string(to)).Msg("connection changed state")
}

func (s *state) brokerChanged(m *messages.BrokerChanged) {
	if m.Err != nil {
		s.broker.note(subscriptionTrouble, nil) // it went with the session
		if s.broker.note(sessionTrouble, m.Err) {
			s.log.Warn().Str("end", "broker").Err(m.Err).Int("attempt", m.Attempt).Time("retry_at", m.RetryAt).Msg("no session with the broker")
			s.event(eventlog.Warn, eventlog.BrokerFailed, "no session with the broker", m.Err)
		}
	}
	if m.State == telemetry.Connected {
		s.broker.note(sessionTrouble, nil)
	}
	b := &s.current.Broker
	if b.State != m.State {
		b.State, b.Since = m.State, time.Now()
	}
	b.Attempt, b.RetryAt = m.Attempt, nil
	if !m.RetryAt.IsZero() {
		b.RetryAt = &m.RetryAt
	}
	s.follow()
}

// follow has the connection's state be that of its MQTT end, unless a child is away.
func (s *state) follow() {
	to := s.current.Broker.State
	if len(s.failed) > 0 || to == telemetry.Connecting && s.current.State == telemetry.Backoff {
		return // an attempt after a failure is still the failure, until it succeeds
	}
	s.set(to, nil)
}

// childFailed has the connection in backoff until the child runs again.
func (s *state) childFailed(name string, child *supervised, err error) {
	s.failed[name] = true
	s.source.note(bufferTrouble+name, nil) // its successor will see
	switch name {
	case nsReaderName:
		s.sourceChanged(&messages.SourceChanged{State: messages.SourceBackoff, RetryAt: child.retryAt, Err: err})
	case publisherName:
		s.brokerChanged(&messages.BrokerChanged{
			State: telemetry.Backoff, Attempt: child.backoff.Attempt(), RetryAt: child.retryAt, Err: err,
		})
	default:
		s.broker.note(name, err)
	}
	s.set(telemetry.Backoff, nil)
}

// childStarted notes that a child that had failed runs again.
func (s *state) childStarted(name string) {
	delete(s.failed, name)
	s.broker.note(name, nil)
	s.follow()
}

func (s *state) subscriptionChanged(m *messages.SubscriptionChanged, filter string) {
	changed := s.broker.note(subscriptionTrouble, m.Err)
	if m.Err == nil {
		s.log.Info().Str("end", "broker").Str("topic_down", filter).Msg("subscribed")
		s.event(eventlog.Info, eventlog.Subscribed, "subscribed to "+filter, nil)
	} else if changed {
		s.log.Warn().Str("end", "broker").Err(m.Err).Str("topic_down", filter).Msg("no subscription: downlinks do not arrive")
		s.event(eventlog.Warn, eventlog.SubscribeFailed, "no subscription to "+filter+": downlinks do not arrive", m.Err)
	}
}

func (s *state) sourceChanged(m *messages.SourceChanged) {
	if m.Err != nil && s.source.note(sessionTrouble, m.Err) {
		s.log.Warn().Str("end", "source").Err(m.Err).Time("retry_at", m.RetryAt).Msg("no session with the Network Server")
		s.event(eventlog.Warn, eventlog.SourceFailed, "no session with the Network Server", m.Err)
	}
	c := &s.current.Source
	if c.State == m.State {
		return
	}
	c.State, c.Since = m.State, time.Now()
	if m.State == messages.SourceStreaming || m.State == messages.SourceReplaying {
		s.source.note(sessionTrouble, nil)
		s.log.Info().Str("end", "source").Str("state", string(m.State)).Msg("reading from the Network Server")
		s.event(eventlog.Info, eventlog.SourceChanged, "reading from the Network Server", nil, inState(string(m.State)))
	}
}

func (s *state) bufferChanged(m *messages.BufferChanged) {
	switch changed := s.source.note(bufferTrouble+m.Child, m.Err); {
	case !changed:
	case m.Err != nil:
		s.log.Error().Str("actor", m.Child).Err(m.Err).Msg("the buffer fails")
		s.event(eventlog.Error, eventlog.BufferFailed, "the buffer fails", m.Err)
	default:
		s.log.Info().Str("actor", m.Child).Msg("the buffer works again")
		s.event(eventlog.Info, eventlog.BufferRecovered, "the buffer works again", nil)
	}
}

func (s *state) framesEvicted(m *messages.FramesEvicted) {
	n := m.Last - m.First + 1
	s.counters.FramesEvicted.Add("limits", n)
	s.log.Error().Uint64("first", m.First).Uint64("last", m.Last).Uint64("frames", n).
		Msg("the buffer's limits removed frames before they were published")
	s.event(eventlog.Error, eventlog.FramesEvicted, "the buffer's limits removed frames before they were published", nil, counted(n, "limits"))
}

func (s *state) frameParked(m *messages.FrameParked) {
	f := &m.Frame
	s.log.Error().Uint64("frame", f.Number).Str("topic", f.Topic).Int("bytes", len(f.Raw)).Str("reason", f.Reason).
		Msg("the broker does not take a frame: it was parked, and can be sent again or dropped")
	s.event(eventlog.Error, eventlog.FrameParked, fmt.Sprintf("frame %d, to %s, was parked", f.Number, shownTopic(f.Topic)), nil,
		counted(1, f.Reason))
}

// gapsChanged shows which stretches of time frames are missing of. Each is logged once.
func (s *state) gapsChanged(m *messages.GapsChanged) {
	s.current.Gaps = m.All
	for _, g := range m.Found {
		s.counters.Gaps.Add(g.Reason, 1)
		s.log.Warn().Time("since", g.Since).Time("until", g.Until).Str("types", g.Types).Str("reason", g.Reason).
			Msg("frames of some time are missing")
		s.event(eventlog.Warn, eventlog.FramesMissing, "frames are missing from "+g.Since.Format(time.RFC3339)+" to "+g.Until.Format(time.RFC3339), nil,
			counted(0, g.Reason))
	}
	for reason, seconds := range m.Seconds {
		s.counters.GapSeconds.Add(reason, seconds)
	}
}

func (s *state) historyChanged(m *messages.HistoryChanged) {
	if s.source.note(historyTrouble, m.Err) && m.Err != nil {
		s.log.Warn().Str("end", "source").Err(m.Err).Msg("the REST history cannot be read; it is tried again")
		s.event(eventlog.Warn, eventlog.HistoryFailed, "the REST history cannot be read; it is tried again", m.Err)
	}
}

func (s *state) stopped() {
	s.current.Broker.State = telemetry.Stopped
	s.set(telemetry.Stopped, nil)
}

// status is the answer to GetStatus.
func (s *state) status() messages.Status {
	current := s.current
	current.Gaps = append([]buffer.Gap{}, s.current.Gaps...) // never null in JSON
	current.Broker.LastError, current.Source.LastError = s.broker.String(), s.source.String()
	current.Lag = messages.Lag{Frames: s.counters.LagFrames.Load(), Seconds: s.counters.Lag.Load().Seconds()}
	current.InFlight = s.counters.InFlight.Load()
	current.Counters = s.counters.Snapshot()
	return current
}

// failureText is what a panic was about.
func failureText(failure any) string { return fmt.Sprint(failure) }
