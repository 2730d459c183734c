package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ReadLoad returns the load at present. The benchmark's programs count as its own when they have ended.
func ReadLoad() (Load, error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return Load{}, fmt.Errorf("read the load average: %w", err)
	}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Load{}, fmt.Errorf("read the machine's CPU time: %w", err)
	}
	l := Load{at: time.Now()}
	if l.Average, err = parseAverage(text); err != nil {
		return l, err
	}
	if l.busy, err = parseBusy(stat); err != nil {
		return l, err
	}
	if l.stolen, err = parseStolen(stat); err != nil {
		return l, err
	}
	self, err := Own()
	if err != nil {
		return l, err
	}
	l.own, err = ended()
	l.own += self
	return l, err
}

// parseAverage reads the first number of /proc/loadavg.
func parseAverage(text []byte) (float64, error) {
	first, _, _ := strings.Cut(string(text), " ")
	average, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0, fmt.Errorf("read the load average: %w", err)
	}
	return average, nil
}

// parseStolen reads how long others than this virtual machine had its CPUs, from the first line of /proc/stat.
func parseStolen(stat []byte) (time.Duration, error) {
	line, _, _ := strings.Cut(string(stat), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("read the stolen CPU time: %q is not the sum", line)
	}
	ticks, err := strconv.ParseInt(fields[8], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the stolen CPU time: %w", err)
	}
	return time.Duration(ticks) * tick, nil
}

// ended returns the CPU time of the processes which this one started, and which they started, that have ended.
func ended() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err != nil {
		return 0, fmt.Errorf("read the CPU time of the benchmark's programs: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
