package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of /proc's times, USER_HZ, which is 100 on every architecture that Go runs on (proc(5)).
const tick = 10 * time.Millisecond

// attributes has the kernel kill a program whose benchmark has died, and keep the terminal's Ctrl-C from it: the
// benchmark ends it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// Usage returns what the program has used so far.
func (p *Process) Usage() (Usage, error) {
	dir := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return Usage{}, p.failed(fmt.Errorf("read its CPU time: %w", err))
	}
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		return Usage{}, p.failed(fmt.Errorf("read its memory: %w", err))
	}
	u, err := parseUsage(stat, status)
	if err != nil {
		return Usage{}, p.failed(err)
	}
	return u, nil
}

// parseUsage reads utime and stime from /proc/PID/stat, VmRSS and VmHWM from /proc/PID/status (proc(5)).
func parseUsage(stat, status []byte) (Usage, error) {
	var u Usage
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // the name before may hold anything
	if len(fields) < 13 {
		return u, fmt.Errorf("read its CPU time: %q has too few fields", stat)
	}
	for _, field := range fields[11:13] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return u, fmt.Errorf("read its CPU time: %w", err)
		}
		u.CPU += time.Duration(ticks) * tick
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		to := map[string]*int64{"VmRSS": &u.Resident, "VmHWM": &u.MaxResident}[name]
		if to == nil {
			continue
		}
		kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return u, fmt.Errorf("read its memory: %w", err)
		}
		*to = kilobytes << 10
	}
	if u.MaxResident == 0 {
		return u, fmt.Errorf("read its memory: there is no VmHWM: it is ending")
	}
	return u, nil
}

// Busy returns the CPU time that the machine has spent on anything since it was started.
func Busy() (time.Duration, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read the machine's CPU time: %w", err)
	}
	return parseBusy(stat)
}

// parseBusy sums up the first line of /proc/stat without idle and iowait; guest time is in user time already.
func parseBusy(stat []byte) (busy time.Duration, err error) {
	line, _, _ := strings.Cut(string(stat), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("read the machine's CPU time: %q is not its sum", line)
	}
	for i, field := range fields[1:9] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the machine's CPU time: %w", err)
		}
		if i != 3 && i != 4 {
			busy += time.Duration(ticks) * tick
		}
	}
	return busy, nil
}

// Own returns the CPU time of this process so far.
func Own() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("read the benchmark's own CPU time: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
