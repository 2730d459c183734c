package source

import "github.com/lorry-mqtt/lorry/internal/dataapi"

// Repeats knows which messages have been received, while a replayed history may bring them again. It is
// bounded: the oldest go first, since to take a repeat for new is a nuisance and to take something new for a
// repeat is a loss. It is not safe for concurrent use.
type Repeats struct {
	limit int
	known map[dataapi.Identity]struct{}
	order []dataapi.Identity // ring, once it is full
	next  int
}

// MaxRepeats is how many messages a Repeats remembers by default: three quarters of an hour at 400 a second.
const MaxRepeats = 1 << 20

// NewRepeats makes one that remembers the last limit messages.
func NewRepeats(limit int) *Repeats {
	return &Repeats{limit: limit, known: map[dataapi.Identity]struct{}{}}
}

// Seen reports whether the message has been given to it before, and remembers it.
func (r *Repeats) Seen(raw []byte) bool {
	id, err := dataapi.Identify(raw)
	if err != nil {
		return false // nothing that Scan accepts; whatever it is, it is not lost
	}
	if _, known := r.known[id]; known {
		return true
	}
	if len(r.order) < r.limit {
		r.order = append(r.order, id)
	} else {
		delete(r.known, r.order[r.next])
		r.order[r.next] = id
		r.next = (r.next + 1) % r.limit
	}
	r.known[id] = struct{}{}
	return false
}
