package buffer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

// How much one read of the stream takes at most: enough that its round trip costs little per frame, little
// enough that ten thousand connections can catch up at once.
const (
	readMessages = 64
	readBytes    = 512 << 10
)

// ReadAfter returns the stored frames behind a position, in order, as many as one read takes; none when the
// log ends there. Frames that the limits have removed are missing at the head: the first batch then begins
// later than pos.Number+1.
func (l *Log) ReadAfter(ctx context.Context, pos Position) ([]Batch, error) {
	batches, err := l.readBatch(ctx, pos)
	if err == nil && len(batches) == 0 && pos.Number < l.Last() {
		// A replica that lags behind may not have it yet: only the stream's leader can say that it is gone.
		return l.readFromLeader(ctx, pos)
	}
	return batches, err
}

func (l *Log) readBatch(ctx context.Context, pos Position) (batches []Batch, err error) {
	if err := l.store.reading.Take(ctx); err != nil {
		return nil, l.readError(pos, err)
	}
	defer l.store.reading.Leave()
	err = l.messages(ctx, pos, func(msg *jetstream.RawStreamMsg) (err error) {
		batches, err = l.take(batches, msg, pos)
		return err
	})
	return batches, err
}

// messages gives the stored messages from a position's on, as many as one read takes.
func (l *Log) messages(ctx context.Context, pos Position, each func(*jetstream.RawStreamMsg) error) error {
	messages, err := jetstreamext.GetBatch(ctx, l.store.js, StreamName, readMessages, jetstreamext.GetBatchSeq(max(pos.Seq, 1)),
		jetstreamext.GetBatchSubject(l.subject), jetstreamext.GetBatchMaxBytes(readBytes))
	if err != nil {
		return l.readError(pos, err)
	}
	for msg, err := range messages {
		if errors.Is(err, jetstreamext.ErrNoMessages) {
			return nil
		}
		if err != nil {
			return l.readError(pos, err)
		}
		if err := each(msg); err != nil {
			return err
		}
	}
	return nil
}

// take adds a message's frames behind pos to batches.
func (l *Log) take(batches []Batch, msg *jetstream.RawStreamMsg, pos Position) ([]Batch, error) {
	batch, err := unpack(msg.Header, msg.Data, msg.Sequence, msg.Time)
	if err != nil {
		return nil, l.readError(pos, err)
	}
	if batch = batch.After(pos.Number); len(batch.Frames) > 0 {
		batches = append(batches, batch)
	}
	return batches, nil
}

// readFromLeader asks the stream's leader for the next message behind pos.
func (l *Log) readFromLeader(ctx context.Context, pos Position) ([]Batch, error) {
	for seq := max(pos.Seq, 1); ; {
		msg, err := l.store.leaderMessage(ctx, l.subject, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, l.readError(pos, err)
		}
		batches, err := l.take(nil, msg, pos)
		if err != nil || len(batches) > 0 {
			return batches, err
		}
		seq = msg.Sequence + 1
	}
}

// leaderMessage is the first message of a subject at or behind a sequence, as the stream's leader knows it.
// The client library asks any replica when the stream allows direct access, so the request is ours
// (JetStream API, STREAM.MSG.GET).
func (s *Store) leaderMessage(ctx context.Context, subject string, seq uint64) (*jetstream.RawStreamMsg, error) {
	request, err := json.Marshal(struct {
		Seq     uint64 `json:"seq"`
		NextFor string `json:"next_by_subj"`
	}{seq, subject})
	if err != nil {
		return nil, err
	}
	answer, err := s.nc.RequestWithContext(ctx, jetstream.DefaultAPIPrefix+"STREAM.MSG.GET."+StreamName, request)
	if err != nil {
		return nil, err
	}
	var response struct {
		Error   *jetstream.APIError `json:"error"`
		Message *struct {
			Seq    uint64    `json:"seq"`
			Header []byte    `json:"hdrs"`
			Data   []byte    `json:"data"`
			Time   time.Time `json:"time"`
		} `json:"message"`
	}
	if err := json.Unmarshal(answer.Data, &response); err != nil {
		return nil, fmt.Errorf("read JetStream's answer: %w", err)
	}
	if response.Error != nil && response.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound {
		return nil, jetstream.ErrMsgNotFound
	}
	if response.Error != nil {
		return nil, response.Error
	}
	if response.Message == nil {
		return nil, errors.New("JetStream answered neither a message nor an error")
	}
	m := response.Message
	var header nats.Header
	if len(m.Header) > 0 {
		if header, err = nats.DecodeHeadersMsg(m.Header); err != nil {
			return nil, err
		}
	}
	return &jetstream.RawStreamMsg{Subject: subject, Sequence: m.Seq, Header: header, Data: m.Data, Time: m.Time}, nil
}

// FromTime is where to begin reading to meet every stored frame whose meta.time is at least the given one, in
// Unix seconds of the Network Server's clock; earlier frames may be met too. It is for the goroutine that
// appends.
func (l *Log) FromTime(ctx context.Context, at float64) (Position, error) {
	if l.lastSeq == 0 || at > l.highest {
		return Position{Number: l.Last(), Seq: l.lastSeq}, nil
	}
	seq, err := l.firstMessage(ctx, func(_ Batch, highest float64) bool { return highest >= at })
	if err != nil {
		return Position{}, fmt.Errorf("find meta.time %v in subject %s: %w", at, l.subject, err)
	}
	return Position{Seq: seq}, nil
}

// firstMessage is the stream sequence of the first message of which reached is true, by bisection: once true,
// it must be true of all that follow. It is true of the last message at the latest. reached is given the
// message's frames and the highest meta.time up to it.
func (l *Log) firstMessage(ctx context.Context, reached func(b Batch, highest float64) bool) (uint64, error) {
	return l.firstMessageUpTo(ctx, l.lastSeq, reached)
}

// firstMessageUpTo is firstMessage for a goroutine that does not append: last is the sequence of the last message.
func (l *Log) firstMessageUpTo(ctx context.Context, last uint64, reached func(b Batch, highest float64) bool) (uint64, error) {
	found := last
	for low, high := uint64(1), last; low < high; {
		mid := low + (high-low)/2
		msg, err := l.store.stream.GetMsg(ctx, mid, jetstream.WithGetMsgSubject(l.subject)) // the first at or behind mid
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			high = mid
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("read from stream sequence %d: %w", mid, err)
		}
		batch, err := unpack(msg.Header, msg.Data, msg.Sequence, msg.Time)
		if err != nil {
			return 0, err
		}
		if reached(batch, timeIn(msg.Header, headerTime)) {
			found, high = msg.Sequence, mid
		} else {
			low = msg.Sequence + 1
		}
	}
	return found, nil
}

func (l *Log) readError(pos Position, err error) error {
	return fmt.Errorf("read subject %s behind frame %d: %w", l.subject, pos.Number, err)
}
