package simulator

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/fault"
)

func TestTheZeroConfigIsValid(t *testing.T) {
	if l := (Config{}).Validate(); len(l) > 0 {
		t.Fatalf("faults: %v", l)
	}
}

func TestValidateNamesTheField(t *testing.T) {
	for path, cfg := range map[string]Config{
		"devices":                 {Devices: -1},
		"gateways":                {Gateways: -1},
		"stuck_counters":          {Devices: 2, StuckCounters: 3},
		"rate":                    {Rate: math.NaN()},
		"arrivals":                {Arrivals: "sometimes"},
		"status_type":             {StatusType: dataapi.Uplink},
		"tx_delay":                {TxDelay: -1},
		"time_skew":               {TimeSkew: -1},
		"pong_interval":           {PongInterval: -1},
		"queue_limit":             {QueueLimit: -1},
		"record":                  {Record: -1},
		"tokens[1]":               {Tokens: []string{"a", ""}},
		"mix":                     {Mix: map[dataapi.Type]float64{dataapi.Uplink: 0}},
		"mix.downlink_claim":      {Mix: map[dataapi.Type]float64{dataapi.Uplink: 1, dataapi.DownlinkClaim: 1}},
		"mix.info":                {Mix: map[dataapi.Type]float64{dataapi.Uplink: 1, dataapi.Info: -0.5}},
		"filters.f.types[1]":      {Filters: map[string]Filter{"f": {Types: []dataapi.Type{dataapi.Uplink, "x"}}}},
		"history.retention":       {History: History{Retention: -1}},
		"history.retention_other": {History: History{RetentionOther: -1}},
		"history.archive":         {History: History{Archive: -1}},
		"history.archive_delay":   {History: History{ArchiveDelay: -1}},
		"history.max_messages":    {History: History{MaxMessages: -1}},
		"history.replay_delay":    {History: History{ReplayDelay: -1}},
		"history.replay_rate":     {History: History{ReplayRate: math.Inf(1)}},
		"faults.drop":             {Faults: Faults{Drop: 1.5}},
		"faults.stall":            {Faults: Faults{Stall: -0.5}},
		"faults.disorder":         {Faults: Faults{Disorder: 2}},
		"faults.repeat":           {Faults: Faults{Repeat: 2}},
		"faults.garbage":          {Faults: Faults{Garbage: 2}},
		"faults.refuse":           {Faults: Faults{Refuse: math.NaN()}},
		"faults.drop_how":         {Faults: Faults{DropHow: 7}},
		"faults.stall_for":        {Faults: Faults{StallFor: -1}},
		"faults.window":           {Faults: Faults{Window: -1}},
		"flood.size":              {Flood: Flood{Size: 100}},
		"flood.frames":            {Flood: Flood{Size: 560, Frames: 1 << 32}},
		"flood.batch":             {Flood: Flood{Size: 560, Batch: -1}},
	} {
		l := cfg.Validate()
		if len(l) != 1 || l[0].Path != path || l[0].Reason == "" {
			t.Errorf("want one fault at %s, got %v", path, l)
		}
		_, err := New(cfg)
		var found fault.List
		if !errors.As(err, &found) || !strings.Contains(err.Error(), path) {
			t.Errorf("New's error does not name %s: %v", path, err)
		}
	}
}

func TestValidateReportsAllFaultsAtOnce(t *testing.T) {
	l := Config{Devices: -1, Rate: -1, Faults: Faults{Drop: 2}}.Validate()
	if len(l) != 3 {
		t.Fatalf("want three faults, got %v", l)
	}
}
