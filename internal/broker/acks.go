package broker

import (
	"math"
	"sync"
)

// The packet identifiers of PUBLISHes (MQTT 3.1.1 §2.3.1). Those below are left to paho, which numbers its SUBSCRIBEs from 1
// on.
const (
	firstIdentifier = 4096
	identifiers     = math.MaxUint16 - firstIdentifier + 1
)

// acks gives PUBLISHes their packet identifiers, and knows which message a PUBACK settles. A session's are never read
// back: what it has not settled ends with it.
type acks struct {
	acknowledged func(seq uint64)

	mu      sync.Mutex
	last    uint16
	waiting map[uint16]uint64 // packet identifier → seq, of each PUBLISH without PUBACK
}

func newAcks(acknowledged func(seq uint64)) *acks {
	return &acks{acknowledged: acknowledged, waiting: map[uint16]uint64{}}
}

// identify is the packet identifier for a message, which waits for its PUBACK from now on; none is free when all are
// waiting.
func (a *acks) identify(seq uint64) (id uint16, free bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for range identifiers {
		if a.last++; a.last < firstIdentifier {
			a.last = firstIdentifier
		}
		if _, waits := a.waiting[a.last]; !waits {
			a.waiting[a.last] = seq
			return a.last, true
		}
	}
	return 0, false
}

// waits reports whether a PUBLISH with this identifier has no PUBACK yet.
func (a *acks) waits(id uint16) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, waits := a.waiting[id]
	return waits
}

// settle passes on that the PUBACK of a message has arrived. One that nothing waits for is nothing: those come after a
// repeated PUBLISH and mean no harm.
func (a *acks) settle(id uint16) {
	a.mu.Lock()
	seq, known := a.waiting[id]
	delete(a.waiting, id)
	a.mu.Unlock()
	if known {
		a.acknowledged(seq)
	}
}
