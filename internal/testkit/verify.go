package testkit

import (
	"bytes"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// Delivery is what came of a stretch of messages on their way.
type Delivery struct {
	Lost       int // sent and never received
	Repeated   int // received more than once, counted without the first
	Disordered int // first received after a message that was sent later
	Foreign    int // received and never sent, or not byte for byte
}

// Verify compares what was sent, in order, with what was received, in order. Messages are told apart by their
// content (dataapi.Identify), so that one delivered from the Network Server's history counts as the one sent
// live; one that was live must have arrived with the very bytes that were sent.
func Verify(t testing.TB, sent, received [][]byte) Delivery {
	t.Helper()
	place := make(map[dataapi.Identity]int, len(sent))
	for i, raw := range sent {
		place[identify(t, raw)] = i
	}
	var d Delivery
	seen := make(map[int]bool, len(sent))
	newest := -1
	for _, raw := range received {
		i, known := place[identify(t, raw)]
		switch {
		case !known:
			d.Foreign++
		case seen[i]:
			d.Repeated++
		default:
			seen[i] = true
			if i < newest {
				d.Disordered++
			}
			newest = max(newest, i)
			envelope, err := dataapi.Scan(raw)
			if err != nil || !envelope.Meta.History && !bytes.Equal(raw, sent[i]) {
				d.Foreign++
			}
		}
	}
	d.Lost = len(sent) - len(seen)
	return d
}

func identify(t testing.TB, raw []byte) dataapi.Identity {
	t.Helper()
	id, err := dataapi.Identify(raw)
	if err != nil {
		t.Fatalf("testkit: what was delivered is no frame: %v", err)
	}
	return id
}
