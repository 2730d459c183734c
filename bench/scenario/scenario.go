package scenario

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/lorry-mqtt/lorry/bench/report"
)

// Options say how much is run, and of what.
type Options struct {
	Frames      uint64        // in each round
	Rounds      int           // of scenarios that compare
	Size        int           // bytes of each frame
	Sizes       []int         // the same for scenarios that compare them
	Window      int           // publishes without PUBACK
	Connections int           // where many are run
	Watch       time.Duration // of idle connections
	Broker      string        // Mosquitto or Mochi; empty: mosquitto if it is installed
	Lorry       string        // the program under test
	Bench       string        // this program, for the other parts
	Profiles    string        // directory for profiles of lorry; empty: none. Profiling has a cost: such figures do not count
	Progress    io.Writer
	Base        string // git revision that the Go benchmarks are compared with; empty: none
}

// DefaultSize is that of a frame if nothing else is asked for.
const DefaultSize = 560

// The defaults of what many connections are, and of how long idle ones are watched: each pings both of its ends meanwhile.
const (
	DefaultConnections = 10_000
	DefaultWatch       = 30 * time.Second
)

// DefaultSizes are those of frames where sizes are compared.
func DefaultSizes() []int { return []int{200, DefaultSize, 4096} }

// Scenario is one thing that the benchmark measures.
type Scenario struct {
	Name string
	Does string
	// Run runs it and says what it found.
	Run func(ctx context.Context, o Options) (*report.Section, error)
}

// All returns the scenarios in the order in which they are run.
func All() []Scenario {
	return []Scenario{
		{"throughput", "one connection as fast as it goes, from the Network Server to acknowledged, next to its peers", throughput},
		{"latency", "how much later a frame arrives than by a bare publisher", latency},
		{"downlink", "how long a downlink takes from the broker to the Network Server", downlink},
		{"catch-up", "the broker is gone while frames flow in, then comes back", catchUp},
		{"connections", "1 to 10 000 connections that share the load evenly", connections},
		{"idle", "10 000 connections without any traffic: how soon they are there, and what each costs", idle},
		{"hotpath", "Go benchmarks of the steps on a frame's way, beside those of another revision if one is named (--base)", hotpath},
	}
}

// Find returns the scenario with the name.
func Find(name string) (Scenario, bool) {
	all := All()
	i := slices.IndexFunc(all, func(s Scenario) bool { return s.Name == name })
	if i < 0 {
		return Scenario{}, false
	}
	return all[i], true
}
