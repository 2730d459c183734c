package telemetry

import (
	"strings"
	"sync"
	"sync/atomic"
)

// Other is the label that counts what comes after too many different ones.
const Other = "other"

// maxLabels bounds the series that one counter of one connection can become.
const maxLabels = 32

// Labelled is a counter with a value for each label, such as the reason of a discard. It is for what is rare: labels
// are looked up. The zero value is ready.
type Labelled struct {
	mu     sync.Mutex // guards the making of a new label
	labels int
	values sync.Map // label → *atomic.Uint64
}

// Add counts n more under the label. Labels are words of the program's, never of its input: from the 33rd different
// one on they are counted as [Other].
func (l *Labelled) Add(label string, n uint64) {
	v, ok := l.values.Load(label)
	if !ok {
		v = l.make(label)
	}
	v.(*atomic.Uint64).Add(n)
}

func (l *Labelled) make(label string) any {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v, ok := l.values.Load(label); ok {
		return v
	}
	if label = strings.ToValidUTF8(label, "?"); l.labels >= maxLabels {
		label = Other
	}
	v, made := l.values.LoadOrStore(label, new(atomic.Uint64))
	if !made {
		l.labels++
	}
	return v
}

// Load returns what was counted under the label.
func (l *Labelled) Load(label string) uint64 {
	if v, ok := l.values.Load(label); ok {
		return v.(*atomic.Uint64).Load()
	}
	return 0
}

// Total returns what was counted under all labels together.
func (l *Labelled) Total() uint64 {
	var total uint64
	for _, n := range l.All {
		total += n
	}
	return total
}

// All yields each label and what was counted under it, in no order.
func (l *Labelled) All(yield func(label string, n uint64) bool) {
	l.values.Range(func(label, v any) bool {
		return yield(label.(string), v.(*atomic.Uint64).Load())
	})
}
