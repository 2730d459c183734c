package soak

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var everywhere = places([]string{Mochi, Mosquitto}, true)

func TestTheSameSeedMakesTheSamePlan(t *testing.T) {
	one := NewPlan(7, time.Minute, 50, 100, everywhere)
	if again := NewPlan(7, time.Minute, 50, 100, everywhere); !reflect.DeepEqual(one, again) {
		t.Errorf("%+v\nis not\n%+v", one, again)
	}
	if other := NewPlan(8, time.Minute, 50, 100, everywhere); reflect.DeepEqual(one.Faults, other.Faults) || reflect.DeepEqual(one.Load, other.Load) {
		t.Error("another seed makes the same plan")
	}
}

// TestPlansAreInOrder looks at many plans: as many faults as asked for, by time, and one at a time at each place.
func TestPlansAreInOrder(t *testing.T) {
	for seed := range uint64(200) {
		faults := 1 + int(seed)
		p := NewPlan(seed, 3*time.Minute, faults, 100, everywhere)
		if len(p.Faults) != faults {
			t.Fatalf("seed %d: %d faults instead of %d", seed, len(p.Faults), faults)
		}
		free := map[Place]time.Duration{}
		last := time.Duration(0)
		for _, f := range p.Faults {
			if f.At < last || f.At < free[f.Place] || f.For < 0 || f.For > silenceTo {
				t.Errorf("seed %d: %+v begins before %v or %v", seed, f, last, free[f.Place])
			}
			last, free[f.Place] = f.At, f.At+f.For+rest
			if !slices.ContainsFunc(traits, func(w trait) bool { return w.class == f.Place.Class && w.kind == f.Kind }) {
				t.Errorf("seed %d: %+v is no fault of such a place", seed, f)
			}
		}
		if !slices.IsSortedFunc(p.Load, func(a, b Phase) int { return int(a.At - b.At) }) || p.Load[0].At != 0 {
			t.Errorf("seed %d: load %v", seed, p.Load)
		}
	}
}

// TestAFewFaultsAreOfManyKinds: a round deals every kind there is as often as it weighs.
func TestAFewFaultsAreOfManyKinds(t *testing.T) {
	round := 0
	for _, w := range traits {
		round += w.weight
	}
	p := NewPlan(1, time.Hour, round, 100, everywhere) // so long that all places are free
	dealt := map[trait]int{}
	for _, f := range p.Faults {
		i := slices.IndexFunc(traits, func(w trait) bool { return w.class == f.Place.Class && w.kind == f.Kind })
		dealt[traits[i]]++
	}
	for _, w := range traits {
		if dealt[w] == 0 {
			t.Errorf("no %s of a %s in %d faults", w.kind, w.class, round)
		}
	}
}

func TestAPlanAsATable(t *testing.T) {
	var table strings.Builder
	if err := NewPlan(7, time.Minute, 12, 100, everywhere).Write(&table); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(table.String(), "\n"); lines != 2+2+12 || !strings.HasPrefix(table.String(), "Seed 7: 12 faults in 1m0s.\n") {
		t.Error(table.String())
	}
}
