package buffer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/natsconn"
)

// ErrFenced says that another writer has appended to the connection's log: this one must stop.
var ErrFenced = errors.New("another writer appends to this connection's buffer")

// The largest message that Append writes: enough that a write's cost is spread thin, little enough that one
// connection does not hold up the others.
const (
	maxPackFrames = 512
	maxPackBytes  = 256 << 10
)

// Log is the stored frames of one connection. One goroutine at a time may append; reading is free for all.
type Log struct {
	store   *Store
	subject string

	last    atomic.Uint64 // number of the last stored frame
	lastSeq uint64        // stream sequence of the message that holds it; 0: none is there
	highest float64       // highest meta.time stored
	replay  float64       // from when on history is being replayed; 0: it is not
	trimAt  uint64        // number at which the bound is looked at next
	msg     nats.Msg      // reused, since an append waits for its acknowledgement
}

// OpenLog finds the end of a connection's log. Numbering goes on behind the last stored frame, or behind
// floor where the limits have removed everything.
func (s *Store) OpenLog(ctx context.Context, id string, floor uint64) (*Log, error) {
	return s.openLog(ctx, id, subjectPrefix, floor)
}

func (s *Store) openLog(ctx context.Context, id, prefix string, floor uint64) (*Log, error) {
	l := &Log{store: s, subject: prefix + id}
	l.last.Store(floor)
	last, err := s.lastMessage(ctx, l.subject)
	if err != nil {
		return nil, fmt.Errorf("open the buffer of connection %s: %w", id, err)
	}
	if last != nil {
		batch, err := unpack(last.Header, last.Data, last.Sequence, last.Time)
		if err != nil {
			return nil, fmt.Errorf("open the buffer of connection %s: %w", id, err)
		}
		l.last.Store(max(floor, batch.Last()))
		l.lastSeq, l.highest, l.replay = last.Sequence, timeIn(last.Header, headerTime), timeIn(last.Header, headerReplay)
	}
	l.trimAt = l.last.Load() + 1
	return l, nil
}

// Last is the number of the last stored frame.
func (l *Log) Last() uint64 { return l.last.Load() }

// Highest is the highest meta.time among all stored frames, in Unix seconds of the Network Server's clock; 0
// when there is none. It is for the goroutine that appends.
func (l *Log) Highest() float64 { return l.highest }

// Replay is from when on the Network Server was asked to replay its history, in Unix seconds of its clock, in a
// replay that was not known to be through when the last frame was stored; 0 when there was none. What is missing
// of it may be older than what is stored, so it is to be asked for again. It is for the goroutine that appends.
func (l *Log) Replay() float64 { return l.replay }

// SetReplay has the frames that are stored from now on say that a replay is under way since a time, or with 0
// that none is. It is for the goroutine that appends.
func (l *Log) SetReplay(from float64) { l.replay = from }

// Append stores as many of the frames as one message takes, at least one, and returns them with their numbers
// once JetStream has acknowledged the write. After an error nothing of them is stored, or it cannot be known:
// appending the same frames again stores them once. ErrFenced is final.
func (l *Log) Append(ctx context.Context, frames []dataapi.Frame) (Batch, error) {
	return l.append(ctx, fitting(frames), nil)
}

// append stores frames that fit into one message, with the origins of each if they are given.
func (l *Log) append(ctx context.Context, frames []dataapi.Frame, origins []uint64) (Batch, error) {
	if err := l.store.writing.Take(ctx); err != nil {
		return Batch{}, fmt.Errorf("store %d frames: %w", len(frames), err)
	}
	defer l.store.writing.Leave()
	first := l.last.Load() + 1
	highest := l.highest
	for i := range frames {
		highest = max(highest, frames[i].Envelope.Meta.Time)
	}
	l.msg.Subject = l.subject
	pack(&l.msg, first, frames, highest, l.replay)
	if origins != nil {
		l.msg.Header[headerOrigins] = []string{packOrigins(origins)}
	}
	seq, err := l.write(ctx)
	if err != nil {
		return Batch{}, fmt.Errorf("store %d frames from number %d: %w", len(frames), first, err)
	}
	batch := Batch{First: first, Seq: seq, Frames: frames}
	l.lastSeq, l.highest = seq, highest
	l.last.Store(batch.Last())
	return batch, nil
}

// fitting is the longest run at the head of frames that one message may hold.
func fitting(frames []dataapi.Frame) []dataapi.Frame {
	size := 0
	for i := range frames {
		size += len(frames[i].Raw)
		if i > 0 && (size > maxPackBytes || i == maxPackFrames) {
			return frames[:i]
		}
	}
	return frames
}

// write publishes the packed message on condition that nobody else has appended since the last one.
func (l *Log) write(ctx context.Context) (seq uint64, err error) {
	ack, err := l.store.js.PublishMsg(ctx, &l.msg, jetstream.WithExpectLastSequencePerSubject(l.lastSeq))
	if err == nil {
		return ack.Sequence, nil
	}
	if !natsconn.IsWrongLastSequence(err) {
		return 0, err
	}
	// Either an earlier try was stored and only its acknowledgement lost, or the limits have removed what was
	// last, or somebody else writes.
	last, err := l.store.lastMessage(ctx, l.subject)
	switch {
	case err != nil:
		return 0, err
	case last == nil && l.lastSeq != 0:
		l.lastSeq = 0
		return l.write(ctx)
	case last != nil && last.Header.Get(headerFirst) == l.msg.Header.Get(headerFirst) && bytes.Equal(last.Data, l.msg.Data):
		return last.Sequence, nil
	default:
		return 0, ErrFenced
	}
}

// lastMessage is the newest message of a subject; nil when there is none.
func (s *Store) lastMessage(ctx context.Context, subject string) (*jetstream.RawStreamMsg, error) {
	msg, err := s.stream.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the last message of subject %s: %w", subject, err)
	}
	return msg, nil
}
