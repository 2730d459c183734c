package part

import (
	"syscall"
	"time"
)

// wait returns some 50 µs after the time has passed, or when a signal comes. A timer would take up to a millisecond more, which is how exact
// the Go runtime's wait in epoll is, and at 1 000 a second send every twelfth message together with the one before.
func wait(d time.Duration) {
	if d > 0 {
		length := syscall.NsecToTimespec(int64(d))
		_ = syscall.Nanosleep(&length, nil) // a signal cuts it short, and whoever waits looks at the clock again
	}
}
