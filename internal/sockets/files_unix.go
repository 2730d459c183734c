//go:build unix

package sockets

import (
	"math"
	"syscall"
)

// openFiles is how many files this process may have open; the Go runtime has raised that to the hard limit.
func openFiles() (n int64, known bool) {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || limit.Cur > math.MaxInt32 {
		return 0, false
	}
	return int64(limit.Cur), true
}
