//go:build unix

package process

import (
	"fmt"
	"syscall"
)

// OpenFiles allows the programs that are started from now on as many open files as may be had without privileges, and
// returns that number. A program of Go sees to it by itself; mosquitto lives with what it is given.
func OpenFiles() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("read how many files may be open: %w", err)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("allow %d open files: %w", limit.Max, err)
	}
	return int(min(limit.Max, 1<<30)), nil
}
