package simulator

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/fault"
)

// The most of what one simulated NS holds.
const (
	maxDevices  = 1_000_000
	maxGateways = 10_000
)

// generated are the types that the NS sends of its own accord, in the order in which chance is asked for them.
var generated = []dataapi.Type{
	dataapi.Uplink, dataapi.DownlinkRequest, dataapi.Downlink, dataapi.JoinRequest, dataapi.StatusResponse,
	dataapi.Status, dataapi.Location, dataapi.Info, dataapi.Warning, dataapi.Error,
}

// Validate names every fault of the configuration by its field: `rate`, `filters.ID.types[0]`, `history.retention`.
// An empty list means that [New] takes it.
func (c Config) Validate() fault.List {
	c = c.complete()
	var l fault.List
	between(&l, "devices", c.Devices, 1, maxDevices)
	between(&l, "gateways", c.Gateways, 1, maxGateways)
	if c.StuckCounters > max(c.Devices, 0) {
		l.Add("stuck_counters", "is %d, more than the %d devices", c.StuckCounters, c.Devices)
	}
	notNegative(&l, "rate", c.Rate)
	if !slices.Contains([]Arrivals{ArrivalsBySeed, Poisson, Even}, c.Arrivals) {
		l.Add("arrivals", "is %q; must be %q, %q or empty", c.Arrivals, Poisson, Even)
	}
	if !slices.Contains([]dataapi.Type{"", dataapi.Status, dataapi.StatusResponse}, c.StatusType) {
		l.Add("status_type", "is %q; must be %q, %q or empty", c.StatusType, dataapi.StatusResponse, dataapi.Status)
	}
	positive(&l, "tx_delay", c.TxDelay)
	positive(&l, "time_skew", c.TimeSkew)
	positive(&l, "pong_interval", c.PongInterval)
	between(&l, "queue_limit", c.QueueLimit, 1, math.MaxInt32)
	between(&l, "record", c.Record, 0, math.MaxInt32)
	for i, token := range c.Tokens {
		if token == "" {
			l.Add(fmt.Sprintf("tokens[%d]", i), "is empty; a client without a token is always refused")
		}
	}
	c.validateMix(&l)
	for _, id := range slices.Sorted(maps.Keys(c.Filters)) {
		l = append(l, c.Filters[id].validate().Prefixed("filters."+id)...)
	}
	l = append(l, c.History.validate().Prefixed("history")...)
	l = append(l, c.Faults.validate().Prefixed("faults")...)
	l = append(l, c.Flood.validate().Prefixed("flood")...)
	return l
}

func (c Config) validateMix(l *fault.List) {
	sum := 0.0
	for _, t := range slices.Sorted(maps.Keys(c.Mix)) {
		if !slices.Contains(generated, t) {
			l.Add("mix."+string(t), "is not a type that the NS sends")
			continue
		}
		notNegative(l, "mix."+string(t), c.Mix[t])
		sum += c.Mix[t]
	}
	if !(sum > 0) {
		l.Add("mix", "has no type with a share above 0")
	}
}

func (f Filter) validate() (l fault.List) {
	for i, t := range f.Types {
		if !slices.Contains(generated, t) {
			l.Add(fmt.Sprintf("types[%d]", i), "is %q, which is not a type that the NS sends", t)
		}
	}
	return l
}

func (h History) validate() (l fault.List) {
	positive(&l, "retention", h.Retention)
	positive(&l, "retention_other", h.RetentionOther)
	positive(&l, "archive", h.Archive)
	positive(&l, "archive_delay", h.ArchiveDelay)
	between(&l, "max_messages", h.MaxMessages, 1, math.MaxInt32)
	if h.ReplayDelay < 0 {
		l.Add("replay_delay", "is %v; must not be negative", h.ReplayDelay)
	}
	notNegative(&l, "replay_rate", h.ReplayRate)
	return l
}

func (f Faults) validate() (l fault.List) {
	for _, p := range []struct {
		path   string
		chance float64
	}{
		{"drop", f.Drop}, {"stall", f.Stall}, {"disorder", f.Disorder}, {"repeat", f.Repeat}, {"garbage", f.Garbage},
		{"refuse", f.Refuse},
	} {
		if !(p.chance >= 0 && p.chance <= 1) {
			l.Add(p.path, "is %v; a chance lies between 0 and 1", p.chance)
		}
	}
	if f.DropHow < Reset || f.DropHow > CloseFrame {
		l.Add("drop_how", "is %d; must be Reset, Hangup or CloseFrame", f.DropHow)
	}
	positive(&l, "stall_for", f.StallFor)
	between(&l, "window", f.Window, 1, 1000)
	return l
}

func between(l *fault.List, path string, v, lowest, highest int) {
	if v < lowest || v > highest {
		l.Add(path, "is %d; must be between %d and %d", v, lowest, highest)
	}
}

func positive(l *fault.List, path string, d time.Duration) {
	if d <= 0 {
		l.Add(path, "is %v; must be positive", d)
	}
}

func notNegative(l *fault.List, path string, v float64) {
	if !(v >= 0) || math.IsInf(v, 0) {
		l.Add(path, "is %v; must be 0 or a positive number", v)
	}
}
