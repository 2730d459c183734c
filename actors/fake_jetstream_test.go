package actors

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// faultyJetStream is JetStream, of which some operations can be made to fail.
type faultyJetStream struct {
	jetstream.JetStream

	mu       sync.Mutex
	fault    error         // of writing frames
	loseAcks bool          // what is written is stored all the same
	unread   bool          // the stream cannot be read
	cursor   error         // of writing cursors
	gate     chan struct{} // writes of cursors wait until it is closed; nil: they do not
	waiting  int           // of them
	writes   int
	saved    []time.Time // when a cursor was written
}

// errAckLost is what a write comes to whose acknowledgement is lost.
var errAckLost = errors.New("no answer")

// change sets what fails from now on.
func (f *faultyJetStream) change(set func(*faultyJetStream)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set(f)
}

// failing has writes of frames fail, or succeed if err is nil.
func (f *faultyJetStream) failing(err error) {
	f.change(func(f *faultyJetStream) { f.fault = err })
}

// PublishMsg implements jetstream.Publisher.
func (f *faultyJetStream) PublishMsg(ctx context.Context, msg *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	f.mu.Lock()
	fault, loses := f.fault, f.loseAcks
	f.writes++
	f.mu.Unlock()
	if fault != nil {
		return nil, fault
	}
	ack, err := f.JetStream.PublishMsg(ctx, msg, opts...)
	if err == nil && loses {
		return nil, errAckLost
	}
	return ack, err
}

// Options implements jetstream.JetStream. Reads of the stream use its API prefix.
func (f *faultyJetStream) Options() jetstream.JetStreamOptions {
	options := f.JetStream.Options()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unread {
		options.APIPrefix = "nowhere"
	}
	return options
}

// count is how many writes of frames were tried.
func (f *faultyJetStream) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writes
}

// saves is when a cursor was written.
func (f *faultyJetStream) saves() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.saved)
}

// CreateOrUpdateKeyValue implements jetstream.KeyValueManager.
func (f *faultyJetStream) CreateOrUpdateKeyValue(ctx context.Context, cfg jetstream.KeyValueConfig) (jetstream.KeyValue, error) {
	kv, err := f.JetStream.CreateOrUpdateKeyValue(ctx, cfg)
	if cfg.Bucket != "lorry_cursors" {
		return kv, err
	}
	return faultyKeyValue{kv, f}, err
}

type faultyKeyValue struct {
	jetstream.KeyValue
	f *faultyJetStream
}

// Update implements jetstream.KeyValue.
func (kv faultyKeyValue) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	kv.f.mu.Lock()
	fault, loses, gate := kv.f.cursor, kv.f.loseAcks, kv.f.gate
	kv.f.waiting++
	kv.f.saved = append(kv.f.saved, time.Now())
	kv.f.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if fault != nil {
		return 0, fault
	}
	next, err := kv.KeyValue.Update(ctx, key, value, revision)
	if err == nil && loses {
		return 0, errAckLost
	}
	return next, err
}
