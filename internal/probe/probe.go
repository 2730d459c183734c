package probe

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/endpoint"
)

// MaxDuration bounds a probe, whatever the connection's own timeouts are.
const MaxDuration = 30 * time.Second

// The stages, in their order. The broker has options to puback, a Network Server options to stream.
const (
	StageOptions   = "options"   // appears only if it fails: no attempt can be made
	StageDNS       = "dns"       // of a host that is a name
	StageTCP       = "tcp"       // where the policy of egress refuses, too
	StageTLS       = "tls"       // of mqtts, wss
	StageWebSocket = "websocket" // of ws, wss: the upgrade, and at a Network Server token and filter
	StageConnack   = "connack"
	StageSuback    = "suback" // where there is a topic_down
	StagePuback    = "puback"
	StageStream    = "stream" // the first PONG or message
)

// Report is what came of a probe.
type Report struct {
	OK     bool    `json:"ok"`     // all stages are
	Broker []Stage `json:"broker"` // those that were tried: the last may have failed, and no other has
	Source []Stage `json:"source"` // alike
}

// Stage is one step on the way to one end.
type Stage struct {
	Name     string              `json:"name"`
	OK       bool                `json:"ok"`
	Duration connection.Duration `json:"duration"`
	Detail   string              `json:"detail,omitempty"` // of what was tried, where that is not plain from the configuration
	Error    string              `json:"error,omitempty"`  // why it failed
	Mend     string              `json:"mend,omitempty"`   // what to do about that, in one sentence
}

// Probe tests a connection that is valid and complete (connection.Spec.Validate, WithDefaults). It returns when both
// ends have been tried, within MaxDuration or when ctx ends, and leaves nothing behind. No text in the report holds a
// secret of the connection. A nil dial is a plain net.Dialer.
func Probe(ctx context.Context, spec connection.Spec, dial endpoint.Dial) Report {
	ctx, cancel := context.WithTimeoutCause(ctx, MaxDuration, fmt.Errorf("the test's %v are over", MaxDuration))
	defer cancel()
	var r Report
	var ends sync.WaitGroup
	ends.Go(func() { r.Broker = probeBroker(ctx, spec, dial) })
	ends.Go(func() { r.Source = probeSource(ctx, spec, dial) })
	ends.Wait()
	r.OK = through(r.Broker) && through(r.Source)
	return r
}

func through(stages []Stage) bool { return len(stages) > 0 && stages[len(stages)-1].OK }
