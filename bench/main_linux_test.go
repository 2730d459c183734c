package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the main of the parts that the tests' scenarios start.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "part" {
		main()
	}
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil { // else each part takes a second to end
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// bench runs the program and returns its output.
func bench(t *testing.T, args ...string) string {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	var out, progress strings.Builder
	if status := run(t.Context(), args, &out, &progress); status != 0 {
		t.Fatalf("bench %s ended with status %d:\n%s", args, status, &progress)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		t.Errorf("it left %s", entry.Name())
	}
	return out.String()
}

// measured runs scenarios and returns their report.
func measured(t *testing.T, args ...string) string {
	t.Helper()
	results := t.TempDir()
	bench(t, append(args, "--results", results)...)
	reports, err := filepath.Glob(filepath.Join(results, "*", "report.md"))
	if err != nil || len(reports) != 1 {
		t.Fatalf("reports %v: %v", reports, err)
	}
	text, err := os.ReadFile(reports[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// cells are the cells of the table row that begins with the name.
func cells(t *testing.T, tables, name string) []string {
	t.Helper()
	row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(name) + ` +\|(.*)\|$`).FindStringSubmatch(tables)
	if row == nil {
		t.Fatalf("there is no row %q in\n%s", name, tables)
	}
	found := strings.Split(row[1], "|")
	for i := range found {
		found[i] = strings.TrimSpace(found[i])
	}
	return found
}

func TestThroughput(t *testing.T) {
	profiles := t.TempDir()                                                                                      // so that lorry is a part, too, and nothing has to be built
	tables := measured(t, "--scenario", "throughput", "--broker", "mochi", "--frames", "10000", "--window", "2", // slow enough to be looked at
		"--size", "560", "--rounds", "2", "--profiles", profiles)
	for _, name := range []string{"lorry", "lorry, sync always", "bare paho", "raw socket", "afternoon bridge", "simulator alone"} {
		row := cells(t, tables, name)
		for i, what := range map[int]string{0: "frames/s", 3: "frames per CPU second"} {
			if !regexp.MustCompile(`^\d+ \(\d+–\d+\)$`).MatchString(row[i]) {
				t.Errorf("%s: %q %s", name, row[i], what)
			}
		}
	}
	if ratio := cells(t, tables, "bare paho")[1]; ratio != "1.00 (1.00–1.00)" {
		t.Errorf("the peer's ratio to itself is %s", ratio)
	}
	for _, row := range []string{
		"lorry +| +lorry", "lorry, sync always +| +broker", "bare paho +| +publisher", "raw socket +| +raw-publisher",
		"afternoon bridge +| +bridge", "afternoon bridge +| +NATS server, storing", "afternoon bridge +| +NATS server, delivering",
	} {
		if !regexp.MustCompile(`(?m)^\| ` + strings.ReplaceAll(row, "|", `\|`) + ` +\| +(yes|no) \| +\d+\.\d \(`).MatchString(tables) {
			t.Errorf("there are no costs of %s", row)
		}
	}
	for _, goal := range []string{"default sync", "per CPU second, of the afternoon", "sync always, of the bare paho"} {
		if !regexp.MustCompile(`(?m)^\| throughput \|.*` + goal + `.*\| +≥ \d\S* \| +\d+\.\d\d \(.*\| +(yes|no) \|$`).MatchString(tables) {
			t.Errorf("there is no goal %q", goal)
		}
	}
	if !strings.Contains(tables, "The mosquitto bridge was left out") {
		t.Error("nothing says why there is no mosquitto bridge")
	}
	if strings.Contains(tables, "Not as meant") || t.Failed() {
		t.Error(tables)
	}
	for _, file := range []string{"lorry-560-1.cpu.pprof", "lorry-560-2.allocs.pprof", "lorry-sync-always-560-1.cpu.pprof"} {
		if info, err := os.Stat(profiles + "/" + file); err != nil || info.Size() == 0 {
			t.Errorf("profile %s: %v", file, err)
		}
	}
}

// TestThroughputBySize has every size in one report.
func TestThroughputBySize(t *testing.T) {
	tables := measured(t, "--scenario", "throughput", "--broker", "mochi", "--frames", "5000", "--window", "2", "--rounds", "1",
		"--profiles", t.TempDir())
	for _, size := range []int{200, 560, 4096} {
		_, table, found := strings.Cut(tables, fmt.Sprintf("**Frames of %d bytes**", size))
		if !found {
			t.Fatalf("there is nothing of %d bytes in\n%s", size, tables)
		}
		if got := cells(t, table, "lorry")[0]; !regexp.MustCompile(`^\d+$`).MatchString(got) {
			t.Errorf("lorry: %q frames/s of %d bytes", got, size)
		}
	}
	for _, plot := range []string{"throughput-rates.svg", "throughput-cpu.svg"} {
		if !strings.Contains(tables, plot) {
			t.Errorf("it does not show %s", plot)
		}
	}
}

func TestLatency(t *testing.T) {
	tables := measured(t, "--scenario", "latency", "--broker", "mochi", "--frames", "20000", "--rounds", "2", "--profiles", t.TempDir())
	for _, name := range []string{"lorry", "lorry, sync always", "bare paho"} {
		for i, column := range []string{"p50", "p90", "p99", "p99.9", "max"} {
			if got := cells(t, tables, name)[i]; !regexp.MustCompile(`^\d+\.\d\d \(\d+\.\d\d–\d+\.\d\d\)$`).MatchString(got) {
				t.Errorf("%s of %s: %q", column, name, got)
			}
		}
	}
	allWell(t, tables)
}

func TestDownlink(t *testing.T) {
	tables := measured(t, "--scenario", "downlink", "--broker", "mochi", "--frames", "30000", "--rounds", "1", "--profiles", t.TempDir())
	for _, name := range []string{"lorry", "bare paho"} {
		if got := cells(t, tables, name)[0]; !regexp.MustCompile(`^\d+\.\d\d$`).MatchString(got) {
			t.Errorf("p50 of %s: %q", name, got)
		}
	}
	allWell(t, tables)
}

func TestCatchUp(t *testing.T) {
	tables := measured(t, "--scenario", "catch-up", "--broker", "mochi", "--frames", "10000", "--profiles", t.TempDir())
	for _, name := range []string{
		"frames lost", "frames out of order", "messages that were never sent", "frames evicted from the buffer",
		"requests lost", "requests that expired before their turn",
	} {
		if got := cells(t, tables, name)[0]; got != "0" {
			t.Errorf("%s: %s in\n%s", name, got, tables)
		}
	}
}

// allWell checks that all arrived, and nothing else. That a machine under load is late is no fault.
func allWell(t *testing.T, tables string) {
	t.Helper()
	if fault := regexp.MustCompile(`not sent|were lost|from nowhere|not accepted|downlinks_discarded`).FindString(tables); fault != "" {
		t.Errorf("%q in\n%s", fault, tables)
	}
}

func TestConnections(t *testing.T) {
	tables := measured(t, "--scenario", "connections,idle", "--broker", "mochi", "--frames", "10000", "--window", "2", "--connections", "3",
		"--rounds", "1", "--watch", "1s", "--profiles", t.TempDir())
	for _, number := range []string{"1", "3"} {
		if row := cells(t, tables, number); !regexp.MustCompile(`^\d+$`).MatchString(row[0]) || row[0] == "0" {
			t.Errorf("%s connections: %q frames/s", number, row[0])
		}
	}
	if got := cells(t, tables, "connections")[0]; got != "3" && got != "frames/s in all" {
		t.Errorf("%s idle connections", got)
	}
	for _, goal := range []string{"resident memory for each connection", "all connected after", "CPU time, of a core"} {
		if !regexp.MustCompile(`(?m)^\| idle +\| +` + goal + ` \| +≤ \d+ \S+ \| +\d+(\.\d)? \S+ \| +(yes|no) \|$`).MatchString(tables) {
			t.Errorf("there is no goal %q", goal)
		}
	}
	if strings.Contains(tables, "Not as meant") || t.Failed() {
		t.Error(tables)
	}
}

func TestMisuse(t *testing.T) {
	for want, args := range map[string][]string{
		`no "thruput"`:         {"--scenario", "thruput"},
		`"hive" is neither`:    {"--broker", "hive"},
		`1000 at least`:        {"--frames", "10"},
		`not among --scenario`: {"--scenario", "throughput", "--base", "HEAD"},
		`the revision "v0"`:    {"--base", "v0"},
		`unknown flag`:         {"--fast"},
		`unknown command`:      {"everything"},
		`no/such/program`:      {"--scenario", "throughput", "--broker", "mochi", "--lorry", "/no/such/program"},
	} {
		var out, said strings.Builder
		if status := run(t.Context(), args, &out, &said); status != 1 || !strings.Contains(said.String(), want) {
			t.Errorf("%s: status %d, %q", args, status, &said)
		}
	}
}
