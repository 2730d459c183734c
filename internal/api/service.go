package api

import (
	"context"
	"errors"
	"time"

	"github.com/lorry-mqtt/lorry/internal/connection"
	"github.com/lorry-mqtt/lorry/internal/eventlog"
	"github.com/lorry-mqtt/lorry/internal/registry"
	"github.com/lorry-mqtt/lorry/internal/telemetry"
	"github.com/lorry-mqtt/lorry/messages"
)

// Service is what the management API works on. Prober, Replayer and Parked may be nil: what needs them is then
// answered with 501.
type Service struct {
	Registry *registry.Registry
	Runner   Runner
	Events   *eventlog.Log
	Source   connection.SourceDefaults // for connections that name no Network Server
	Prober   Prober
	Replayer Replayer
	Parked   Parked
}

// Runner runs the connections. Its methods are called by any goroutine and answer at once.
type Runner interface {
	// Summary is how a connection is, without asking it.
	Summary(id string) Summary
	// Status is what a connection says of itself.
	Status(id string) messages.Status
	// Restart has a connection stop in good order and start anew. It does not wait for that.
	Restart(id string) error
	// Nodes are those that run connections.
	Nodes(ctx context.Context) ([]Node, error)
}

// Summary is how a connection is, in short.
type Summary struct {
	State        telemetry.State `json:"state" enum:"connecting,connected,backoff,paused,misconfigured,stopped"`
	Lag          messages.Lag    `json:"lag" doc:"What is stored and not known to be acknowledged"`
	InFlight     int64           `json:"in_flight" doc:"Publishes that await their PUBACK"`
	Acknowledged uint64          `json:"acknowledged" doc:"Publishes that the broker has acknowledged since the node started"`
}

// Node is one process that runs connections.
type Node struct {
	Name        string    `json:"name"`
	State       string    `json:"state" enum:"up,draining"`
	Since       time.Time `json:"since" doc:"When it started"`
	Version     string    `json:"version"`
	Connections []string  `json:"connections" doc:"The ids of those that it runs"`
}

// Prober tries a connection's ends without disturbing one that runs.
type Prober interface {
	// Probe takes stage after stage until one fails. The spec is valid and complete.
	Probe(ctx context.Context, spec connection.Spec) ProbeReport
}

// ProbeReport is how far a test came. Of each end it has the stages that were tried: the last may have failed.
type ProbeReport struct {
	OK     bool         `json:"ok" doc:"Every stage of both ends went well"`
	Broker []ProbeStage `json:"broker" doc:"dns, tcp, tls, websocket, connack, suback, puback, as far as they apply"`
	Source []ProbeStage `json:"source" doc:"dns, tcp, tls, websocket, stream, as far as they apply"`
}

// ProbeStage is one step on the way to one end.
type ProbeStage struct {
	Name     string              `json:"name" doc:"The stage, such as tls"`
	OK       bool                `json:"ok"`
	Duration connection.Duration `json:"duration" doc:"How long it took, such as 12ms"`
	Detail   string              `json:"detail,omitempty" doc:"What was tried"`
	Error    string              `json:"error,omitempty" doc:"What went wrong"`
	Mend     string              `json:"mend,omitempty" doc:"The likely cause, and what to do"`
}

// Replayer delivers a stretch of a connection's frames again, besides what is delivered live.
type Replayer interface {
	// Count is how many stored frames have a meta.time from one time up to another.
	Count(ctx context.Context, id string, from, to time.Time) (uint64, error)
	// Start has them delivered. Progress and end are in the connection's log.
	Start(ctx context.Context, id string, from, to time.Time) error
}

// Parked holds frames that were set aside because they cannot be published.
type Parked interface {
	// List returns the parked frames of a connection behind the one with sequence after, in order, limit at most.
	List(ctx context.Context, id string, after uint64, limit int) ([]ParkedFrame, error)
	// Resend has a parked frame published again; registry.ErrNotFound when there is none of that sequence,
	// ErrNotNow when the connection is stopped.
	Resend(ctx context.Context, id string, seq uint64) error
	// Drop forgets a parked frame; registry.ErrNotFound when there is none of that sequence.
	Drop(ctx context.Context, id string, seq uint64) error
}

// ErrNotNow says that a connection cannot do what was asked as it is at present: it does not run, or does it already.
var ErrNotNow = errors.New("not as the connection is now")

// ParkedFrame is a frame that was set aside.
type ParkedFrame struct {
	Seq      uint64    `json:"seq" doc:"Names it among the parked frames"`
	Number   uint64    `json:"number" doc:"Its number among the connection's frames"`
	Topic    string    `json:"topic"`
	Reason   string    `json:"reason" doc:"Why it cannot be published"`
	Attempts int       `json:"attempts" doc:"How often it was tried"`
	ParkedAt time.Time `json:"parked_at"`
	Payload  string    `json:"payload" doc:"The message as the Network Server sent it"`
}
