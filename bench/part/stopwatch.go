package part

import (
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// The stopwatch's counts. Lost is what was sent less what arrived.
const (
	StopwatchArrived  = "stopwatch_arrived_total"  // different timed messages
	StopwatchRepeated = "stopwatch_repeated_total" // timed messages that had arrived before
	StopwatchForeign  = "stopwatch_foreign_total"  // messages that are no timed ones
)

// SamplesPath is where a part shows its samples.
const SamplesPath = "/samples"

// Stopwatch is an MQTT subscriber that times what arrives. Its session outlives its connection, as [Subscriber]'s does.
type Stopwatch struct {
	Listen string // where its numbers and samples are; nothing listens there before it has subscribed
	Broker string // host:port
	Filter string // topic filter
}

// Run times until ctx ends.
func (s Stopwatch) Run(ctx context.Context) error {
	r := newRecorder()
	take := func(_ mqtt.Client, m mqtt.Message) { r.take(time.Now(), m.Payload()) }
	client, err := subscribe(s.Broker, "bench-stopwatch", s.Filter, take)
	if err != nil {
		return err
	}
	defer client.Disconnect(250)
	pages := map[string]page{metricsPath: numbersPage(r.numbers()), SamplesPath: func(w io.Writer) { writeSamples(w, r.taken()) }}
	return serve(ctx, s.Listen, pages, func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	})
}

// recorder keeps how long messages were on their way.
type recorder struct {
	mu      sync.Mutex
	samples []Sample
	seen    map[uint64]struct{}

	arrived, repeated, foreign atomic.Uint64
}

func newRecorder() *recorder { return &recorder{seen: map[uint64]struct{}{}} }

func (r *recorder) numbers() []number {
	return []number{{StopwatchArrived, &r.arrived}, {StopwatchRepeated, &r.repeated}, {StopwatchForeign, &r.foreign}}
}

// take records a message that arrives now. Of a repeated one the first arrival counts.
func (r *recorder) take(now time.Time, raw []byte) {
	number, sent, err := readStamp(raw)
	if err != nil {
		r.foreign.Add(1)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, seen := r.seen[number]; seen {
		r.repeated.Add(1)
		return
	}
	r.seen[number] = struct{}{}
	r.samples = append(r.samples, Sample{number, sent, now.Sub(sent)})
	r.arrived.Add(1)
}

// taken is what was recorded so far, in the order of arrival.
func (r *recorder) taken() []Sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clip(r.samples)
}
