package telemetry

import "sync/atomic"

// State is what a connection is doing, in the words of its status.
type State string

// The states of a connection.
const (
	Connecting    State = "connecting"    // an attempt is under way
	Connected     State = "connected"     // the broker accepted the session
	Backoff       State = "backoff"       // waiting for the next attempt
	Paused        State = "paused"        // by request; frames are stored and not published
	Misconfigured State = "misconfigured" // attempts are pointless until the configuration changes
	Stopped       State = "stopped"       // not enabled, or the node is ending
)

// states are all of them, the zero value first.
var states = [...]State{Stopped, Connecting, Connected, Backoff, Paused, Misconfigured}

// StateGauge holds a connection's state. The zero value is Stopped.
type StateGauge struct{ index atomic.Uint32 }

// Set replaces the state; one that is not listed above counts as Stopped.
func (g *StateGauge) Set(s State) {
	for i, known := range states {
		if known == s {
			g.index.Store(uint32(i))
			return
		}
	}
	g.index.Store(0)
}

// Load returns the state.
func (g *StateGauge) Load() State { return states[g.index.Load()] }
