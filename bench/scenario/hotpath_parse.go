package scenario

import (
	"fmt"
	"strconv"
	"strings"
)

// parseBenchmark returns what lines of `go test -bench` say of one benchmark in one unit, in their order:
//
//	BenchmarkRoute/100-8   36832   1544 ns/op   1862 B/op   0 allocs/op
//
// The number of CPUs behind its name does not count. Lines of another kind are passed over.
func parseBenchmark(text, benchmark, unit string) ([]float64, error) {
	var values []float64
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 || withoutCPUs(fields[0]) != benchmark {
			continue
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if fields[i+1] != unit {
				continue
			}
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("read the benchmarks: %q: %w", strings.TrimSpace(line), err)
			}
			values = append(values, value)
		}
	}
	return values, nil
}

// withoutCPUs is a benchmark's name without the number at its end, which is not there if it is 1.
func withoutCPUs(name string) string {
	end := strings.LastIndexByte(name, '-')
	if end < 0 {
		return name
	}
	if _, err := strconv.ParseUint(name[end+1:], 10, 32); err != nil {
		return name
	}
	return name[:end]
}
