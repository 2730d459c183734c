package demo

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

// account compares what the Network Server sent with what the subscriber received, frame by frame.
type account struct {
	mu       sync.Mutex
	received map[dataapi.Identity]arrival
	answered int
}

// arrival is when a frame first arrived, and how often it did.
type arrival struct {
	at    time.Time
	times int
}

func newAccount() *account { return &account{received: map[dataapi.Identity]arrival{}} }

// arrived books a frame that the subscriber received.
func (a *account) arrived(raw []byte, at time.Time) error {
	id, err := dataapi.Identify(raw)
	if err != nil {
		return fmt.Errorf("the subscriber received what is no frame: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	known := a.received[id]
	if known.times == 0 {
		known.at = at
	}
	known.times++
	a.received[id] = known
	return nil
}

// has reports whether a frame was received.
func (a *account) has(id dataapi.Identity) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.received[id].times > 0
}

func (a *account) answer() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answered++
}

// Summary is how a demo ended.
type Summary struct {
	Sent, Received, Lost, Duplicated int
	Requests, Answered, Accepted     int // downlink_requests, the answers to them, those in time
	P50, P99                         time.Duration
}

// OK reports whether nothing was lost.
func (s Summary) OK() bool { return s.Lost == 0 && s.Sent > 0 }

// Print writes the summary as a table.
func (s Summary) Print(w io.Writer) error {
	_, err := fmt.Fprintf(w, `
sent by the Network Server      %6d frames
received by the subscriber      %6d
lost                            %6d
duplicated                      %6d
downlinks answered              %6d of %d, %d in time
latency p50 / p99               %v / %v
`, s.Sent, s.Received, s.Lost, s.Duplicated, s.Answered, s.Requests, s.Accepted, s.P50, s.P99)
	return err
}

// settle closes the account against what was sent.
func (a *account) settle(sent []simulator.Message) (Summary, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := Summary{Sent: len(sent), Answered: a.answered}
	var latencies []time.Duration
	for _, m := range sent {
		id, err := dataapi.Identify(m.Raw)
		if err != nil {
			return s, fmt.Errorf("the Network Server sent what is no frame: %w", err)
		}
		if m.Type == dataapi.DownlinkRequest {
			s.Requests++
		}
		arrived := a.received[id]
		if arrived.times == 0 {
			s.Lost++
			continue
		}
		latencies = append(latencies, arrived.at.Sub(m.At))
	}
	for _, arrived := range a.received {
		s.Received += arrived.times
		s.Duplicated += arrived.times - 1
	}
	slices.SortFunc(latencies, cmp.Compare[time.Duration])
	s.P50, s.P99 = quantile(latencies, 50), quantile(latencies, 99)
	return s, nil
}

func quantile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)].Round(10 * time.Microsecond)
}
