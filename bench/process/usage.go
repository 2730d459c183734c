package process

import "time"

// Usage is what a program has used.
type Usage struct {
	CPU         time.Duration // user and system
	Resident    int64         // memory at present, in bytes
	MaxResident int64         // the most it ever was
}
