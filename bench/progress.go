package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"
)

// progress writes lines, each with the scenario's place among all and the time since the run began before it.
type progress struct {
	to    io.Writer
	place string // "2/7"
	began time.Time

	mu sync.Mutex
}

// Write takes whole lines.
func (p *progress) Write(lines []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	elapsed := time.Since(p.began)
	prefix := fmt.Sprintf("[%s %d:%02d] ", p.place, int(elapsed.Minutes()), int(elapsed.Seconds())%60)
	for line := range bytes.Lines(lines) {
		if _, err := io.WriteString(p.to, prefix+string(line)); err != nil {
			return 0, err
		}
	}
	return len(lines), nil
}
