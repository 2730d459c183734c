package soak

import (
	"fmt"
	"time"

	"github.com/lorry-mqtt/lorry/internal/faultywire"
)

// Class is what a fault can befall.
type Class string

// The classes of places.
const (
	Lorry         Class = "lorry"
	Broker        Class = "broker"
	BrokerWire    Class = "wire to the broker"
	Pubacks       Class = "PUBACKs"
	NetworkServer Class = "Network Server"
	SourceWire    Class = "wire to the Network Server"
	NATS          Class = "NATS server"
)

// Place is one thing that faults befall, one after the other.
type Place struct {
	Class Class
	Of    string // the connection that it belongs to; empty: all
}

func (p Place) String() string {
	if p.Of == "" {
		return string(p.Class)
	}
	return string(p.Class) + " of " + p.Of
}

// Kind is what happens to a place.
type Kind string

// The kinds of faults.
const (
	Kill      Kind = "kill -9"    // a process, which is started again
	Terminate Kind = "SIGTERM"    // likewise
	Drop      Kind = "drop"       // the streams, by Count as the simulator.Drop
	Refuse    Kind = "refuse"     // new connections; those that a wire has are cut
	Stall     Kind = "stall"      // nothing passes, TCP stays up
	Disorder  Kind = "disorder"   // the next Count frames of each stream
	Repeat    Kind = "repeat"     // likewise
	Garbage   Kind = "garbage"    // Count frames that are no Data API messages
	Cut       Kind = "cut"        // connections, by RST
	HalfClose Kind = "half-close" // connections, by FIN in one direction
	Slow      Kind = "slow"       // Count bytes a second pass
	Late      Kind = "late"       // PUBACKs are held back
	Reverse   Kind = "reversed"   // PUBACKs come in groups of Count, each from the last to the first
	Lose      Kind = "lost"       // every Count-th PUBACK
)

// Fault is one thing that happens.
type Fault struct {
	At, For   time.Duration // since the start; 0: it is over at once
	Place     Place
	Kind      Kind
	Direction faultywire.Direction // of what goes one way only
	Count     int
}

// trait is what a kind of fault is like at places of a class.
type trait struct {
	class    Class
	kind     Kind
	weight   int // how many of them a round of faults has
	lasts    [2]time.Duration
	counts   [2]int
	directed bool
	silence  bool // it may last so long that the other end must find out by itself
}

const (
	ms     = time.Millisecond
	second = time.Second
)

var traits = []trait{
	{class: Lorry, kind: Kill, weight: 3, lasts: [2]time.Duration{10 * ms, 5 * second}},
	{class: Lorry, kind: Terminate, weight: 2, lasts: [2]time.Duration{10 * ms, 5 * second}},
	{class: Broker, kind: Kill, weight: 2, lasts: [2]time.Duration{100 * ms, 15 * second}},
	{class: Broker, kind: Terminate, weight: 1, lasts: [2]time.Duration{100 * ms, 15 * second}},
	{class: BrokerWire, kind: Cut, weight: 2},
	{class: BrokerWire, kind: Stall, weight: 2, lasts: [2]time.Duration{50 * ms, 10 * second}, directed: true},
	{class: BrokerWire, kind: HalfClose, weight: 1, directed: true},
	{class: BrokerWire, kind: Slow, weight: 1, lasts: [2]time.Duration{500 * ms, 10 * second}, counts: [2]int{500, 100_000}, directed: true},
	{class: BrokerWire, kind: Refuse, weight: 1, lasts: [2]time.Duration{50 * ms, 5 * second}},
	{class: Pubacks, kind: Late, weight: 2, lasts: [2]time.Duration{100 * ms, 3 * second}},
	{class: Pubacks, kind: Reverse, weight: 2, lasts: [2]time.Duration{500 * ms, 5 * second}, counts: [2]int{2, 20}},
	{class: Pubacks, kind: Lose, weight: 2, lasts: [2]time.Duration{50 * ms, 2 * second}, counts: [2]int{1, 10}},
	{class: NetworkServer, kind: Drop, weight: 2, counts: [2]int{0, 2}},
	{class: NetworkServer, kind: Refuse, weight: 1, lasts: [2]time.Duration{50 * ms, 10 * second}, counts: [2]int{0, 1}},
	{class: NetworkServer, kind: Stall, weight: 1, lasts: [2]time.Duration{50 * ms, 10 * second}, silence: true},
	{class: NetworkServer, kind: Disorder, weight: 1, counts: [2]int{5, 100}},
	{class: NetworkServer, kind: Repeat, weight: 1, counts: [2]int{5, 50}},
	{class: NetworkServer, kind: Garbage, weight: 1, counts: [2]int{1, 5}},
	{class: SourceWire, kind: Cut, weight: 2},
	{class: SourceWire, kind: Stall, weight: 1, lasts: [2]time.Duration{50 * ms, 10 * second}, directed: true},
	{class: SourceWire, kind: HalfClose, weight: 1, directed: true},
	{class: SourceWire, kind: Slow, weight: 1, lasts: [2]time.Duration{500 * ms, 10 * second}, counts: [2]int{5_000, 200_000}, directed: true},
	{class: SourceWire, kind: Refuse, weight: 1, lasts: [2]time.Duration{50 * ms, 10 * second}},
	{class: NATS, kind: Kill, weight: 2, lasts: [2]time.Duration{10 * ms, 5 * second}},
	{class: NATS, kind: Terminate, weight: 2, lasts: [2]time.Duration{10 * ms, 5 * second}},
}

// String says what happens, without when and where.
func (f Fault) String() string {
	s := string(f.Kind)
	switch f.Kind {
	case Stall, HalfClose, Slow:
		if f.Place.Class != NetworkServer {
			s += " " + f.Direction.String()
		}
	case Drop, Refuse:
		if f.Place.Class == NetworkServer {
			s += " (" + f.manner() + ")"
		}
	case Disorder, Repeat, Garbage:
		s += fmt.Sprintf(", %d frames", f.Count)
	case Lose:
		s += fmt.Sprintf(", every one in %d", f.Count)
	case Reverse:
		s += fmt.Sprintf(", groups of %d", f.Count)
	default:
	}
	if f.Kind == Slow {
		s += fmt.Sprintf(", %d bytes/s", f.Count)
	}
	return s
}
