package scenario

import (
	"slices"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/bench/part"
	"github.com/lorry-mqtt/lorry/bench/process"
	"github.com/lorry-mqtt/lorry/bench/report"
)

func TestCharge(t *testing.T) {
	begin := time.Unix(1_700_000_000, 0)
	before := bill{at: begin, busy: time.Minute, bench: time.Second, used: []process.Usage{{CPU: 3 * time.Second}, {}, {}, {}}}
	after := bill{at: begin.Add(10 * time.Second), busy: time.Minute + 9*time.Second, bench: 2 * time.Second, used: []process.Usage{
		{CPU: 5 * time.Second, MaxResident: 7e6}, {CPU: time.Second, MaxResident: 1}, {CPU: 500 * time.Millisecond}, {CPU: 2 * time.Second},
	}}
	got, others := charge([]payer{{role: "a", own: true}, {role: "store", own: true}, {}, {role: roleBroker}}, before, after, 500_000)
	if want := (costs{{"a", true, 4, 7e6}, {"store", true, 2, 1}, {roleBroker, false, 4, 0}}); !slices.Equal(got, want) {
		t.Errorf("charged %+v, want %+v", got, want)
	}
	if others != 0.25 { // 9 s, of which the benchmark took 1 and the processes 5.5
		t.Errorf("the others took %v cores", others)
	}
	if got.own() != 6 || got.of(roleBroker).cpu != 4 || got.of("nobody").cpu != 0 {
		t.Errorf("own %v, broker %v, nobody %v", got.own(), got.of(roleBroker).cpu, got.of("nobody").cpu)
	}
}

func TestEntrants(t *testing.T) {
	names := func(all []contender) (names []string) {
		for _, c := range all {
			names = append(names, c.name)
		}
		return names
	}
	everyone := names(contenders())
	entrants, absent := (&Options{Broker: Mosquitto}).entrants()
	if !slices.Equal(names(entrants), everyone) || absent != nil {
		t.Errorf("with mosquitto: %v, absent %v", names(entrants), names(absent))
	}
	entrants, absent = (&Options{Broker: Mochi}).entrants()
	without := slices.DeleteFunc(everyone, func(name string) bool { return name == mosquittoBridge })
	if !slices.Equal(names(entrants), without) || !slices.Equal(names(absent), []string{mosquittoBridge}) {
		t.Errorf("with mochi: %v, absent %v", names(entrants), names(absent))
	}
}

func TestFramesFor(t *testing.T) {
	c := contender{share: 0.2}
	for want, of := range map[uint64]struct {
		frames uint64
		size   int
	}{
		100_096: {500_000, 560}, 50_048: {500_000, 200}, 20_096: {500_000, 4096}, 1024: {100, 560},
	} {
		if got := framesFor(&Options{Frames: of.frames}, &c, of.size); got != want || got%part.Cycle != 0 {
			t.Errorf("%d frames of %d, with %d bytes; want %d", got, of.frames, of.size, want)
		}
	}
}

// TestRatio takes them round by round: the machine may change in between.
func TestRatio(t *testing.T) {
	r := &race{outcomes: map[string]outcomes{
		lorryItself: {{rate: 10, costs: costs{{own: true, cpu: 5}}}, {rate: 30, costs: costs{{own: true, cpu: 10}}}},
		barePaho:    {{rate: 20, costs: costs{{own: true, cpu: 4}}}, {rate: 30, costs: costs{{own: true, cpu: 20}}}},
	}}
	if got, want := r.ratio(lorryItself, barePaho, rate, rate), report.Summarize([]float64{0.5, 1}); got != want {
		t.Errorf("rates: %+v, want %+v", got, want)
	}
	if got, want := r.ratio(lorryItself, barePaho, efficiency, efficiency), report.Summarize([]float64{0.8, 2}); got != want {
		t.Errorf("frames per CPU second: %+v, want %+v", got, want)
	}
	if got := r.ratio(lorryItself, mosquittoBridge, rate, rate); got.Rounds != 0 {
		t.Errorf("to one that was not run: %+v", got)
	}
}
