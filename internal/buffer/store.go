package buffer

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/lorry-mqtt/lorry/internal/turns"
)

// The names under which the buffer's parts lie in JetStream.
const (
	StreamName    = "LORRY"
	subjectPrefix = "up."
	asidePrefix   = "aside."
	cursorBucket  = "lorry_cursors"
)

// Config bounds the buffer.
type Config struct {
	MaxAge                 time.Duration // older frames go; 0: kept for ever
	MaxBytes               int64         // for all connections together, reserved from the store's budget
	MaxFramesPerConnection uint64        // the oldest go first, so that one dead broker evicts nobody else's
	Replicas               int           // copies in a NATS cluster
}

// Store is the stream that holds the frames of all connections.
type Store struct {
	js     jetstream.JetStream
	nc     *nats.Conn
	stream jetstream.Stream
	config Config

	sources jetstream.KeyValue

	writing, reading turns.Turns
}

// atOnce is how many connections write to the stream at once, and how many read: JetStream does one after the other.
const atOnce = 32

// Open makes the stream, or brings the one that is there to the configuration.
func Open(ctx context.Context, js jetstream.JetStream, cfg Config) (*Store, error) {
	stream, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:        StreamName,
		Description: "frames from the Network Server, by connection",
		Subjects:    []string{subjectPrefix + "*", asidePrefix + "*"},
		Storage:     jetstream.FileStorage,
		Discard:     jetstream.DiscardOld,
		MaxAge:      cfg.MaxAge,
		MaxBytes:    cfg.MaxBytes,
		// A message holds one frame or more, so this bounds slow connections; trim.go bounds fast ones.
		MaxMsgsPerSubject: int64(cfg.MaxFramesPerConnection),
		Replicas:          cfg.Replicas,
		AllowDirect:       true,
	})
	if err != nil {
		return nil, fmt.Errorf("open stream %s (buffer.max_bytes %d, buffer.replicas %d): %w", StreamName, cfg.MaxBytes, cfg.Replicas, err)
	}
	sources, err := openSources(ctx, js, cfg.Replicas)
	if err != nil {
		return nil, err
	}
	return &Store{js: js, nc: js.Conn(), stream: stream, config: cfg, sources: sources, writing: turns.New(atOnce), reading: turns.New(atOnce)}, nil
}

// Room is how many more frames a connection may store before its own bound has the oldest go, if unread of them are
// still to be delivered; without a bound it is the largest int.
func (s *Store) Room(unread uint64) int {
	bound := s.config.MaxFramesPerConnection
	if bound == 0 {
		return math.MaxInt
	}
	return int(bound - min(unread, bound))
}

// Bytes is how much disk space the frames of all connections take.
func (s *Store) Bytes(ctx context.Context) (uint64, error) {
	info, err := s.stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask for the state of stream %s: %w", StreamName, err)
	}
	return info.State.Bytes, nil
}

// Position is a place in one connection's frames: behind the frame Number, before the next. The zero Position
// is before the first frame.
type Position struct {
	Number uint64
	// Seq is the stream sequence from which to read on: no later frame of the connection lies before it.
	Seq uint64
}
