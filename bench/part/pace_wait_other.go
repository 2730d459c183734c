//go:build !linux

package part

import "time"

// wait returns when the time has passed.
func wait(d time.Duration) { <-time.After(d) }
