package main

import (
	"strings"
	"testing"
)

// soakSeed draws, for TestSoak, faults of every class: lorry, its broker and the NATS server killed and stopped, streams
// dropped and stalled, wires cut, stalled, half-closed and slow, PUBACKs late, reversed and lost.
const soakSeed = "64"

// TestSoak is a short run of what `make soak` runs long.
func TestSoak(t *testing.T) {
	for _, where := range []string{"embedded", "external"} {
		t.Run(where, func(t *testing.T) {
			tables := bench(t, "soak", "--seed", soakSeed, "--duration", "6s", "--faults", "15", "--brokers", "mochi", "--nats", where, "--lorry", "node")
			for _, name := range []string{
				"lost", "out of order", "not byte for byte, or wrongly addressed", "foreign", "repeats beyond what is allowed",
			} {
				if got := cells(t, tables, name)[0]; got != "0" {
					t.Errorf("%s: %s in\n%s", name, got, tables)
				}
			}
			sent, delivered := cells(t, tables, "sent by the Network Server")[0], cells(t, tables, "delivered")[0]
			if sent != delivered || len(sent) < 3 {
				t.Errorf("%s of %s were delivered", delivered, sent)
			}
			if !strings.HasPrefix(tables, "Seed "+soakSeed+": 15 faults in 6s") || !strings.Contains(tables, "\n    go run ./bench soak --seed "+soakSeed+" --duration 6s --faults 15 --rate 100 --brokers mochi --nats "+where+"\n") {
				t.Error(tables)
			}
		})
	}
}

func TestSoakPlan(t *testing.T) {
	plan := func(seed string) string {
		return bench(t, "soak", "--plan", "--seed", seed, "--brokers", "mochi,mosquitto", "--nats", "external")
	}
	one := plan("1")
	if !strings.HasPrefix(one, "Seed 1: 60 faults in 3m0s.\n") || strings.Count(one, "\n") != 64 {
		t.Error(one)
	}
	if one != plan("1") || one == plan("2") {
		t.Error("a plan does not depend on the seed, or on more than the seed")
	}
}

func TestSoakMisuse(t *testing.T) {
	for want, args := range map[string][]string{
		`"hive" is neither`:          {"--brokers", "hive"},
		`"mochi" is neither`:         {"--brokers", "mochi,mochi"},
		`"somewhere" is neither`:     {"--nats", "somewhere"},
		`must be 1s at least`:        {"--duration", "1ms"},
		`--faults not negative`:      {"--faults", "-1"},
		`no such file or directory`:  {"--brokers", "mochi", "--lorry", "/no/such/program"},
		`lorry: it ended by itself;`: {"--brokers", "mochi", "--lorry", "/bin/false"},
	} {
		t.Setenv("TMPDIR", t.TempDir())
		var out, said strings.Builder
		if status := run(t.Context(), append([]string{"soak"}, args...), &out, &said); status != 1 || !strings.Contains(said.String(), want) {
			t.Errorf("%s: status %d, %q", args, status, &said)
		}
	}
}
