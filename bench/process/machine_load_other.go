//go:build !linux

package process

// ReadLoad is for Linux.
func ReadLoad() (Load, error) { return Load{}, errNoProc }
