package buffer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The stream of parked frames, and how much it keeps: the oldest go first.
const (
	parkedStream = "LORRY_PARKED"
	parkedPrefix = "parked."

	maxParkedPerConnection = 10_000
	maxParkedBytes         = 256 << 20
	maxParkedAge           = 30 * 24 * time.Hour
)

// Headers of a parked frame's message, beside headerFirst for its number.
const (
	headerTopic    = "Lorry-Topic"
	headerReason   = "Lorry-Reason"
	headerAttempts = "Lorry-Attempts"
)

// ErrNotParked says that there is no such parked frame.
var ErrNotParked = errors.New("no such frame is parked")

// ParkedFrame is a frame that the broker would not take, set apart so that those behind it can go on.
type ParkedFrame struct {
	Seq      uint64 // names it; of the parked frames' stream
	Number   uint64 // that it had in the connection's log
	Topic    string // to which it was published
	Reason   string // why it was parked
	Attempts int    // how often it was published
	ParkedAt time.Time
	Raw      []byte
}

// Parked keeps the parked frames of all connections until somebody decides about them, for 30 days at most: a
// connection's lie under the subject `parked.ID`, a message each.
type Parked struct {
	js     jetstream.JetStream
	stream jetstream.Stream
}

// OpenParked makes the stream or opens the one that is there.
func OpenParked(ctx context.Context, js jetstream.JetStream, replicas int) (*Parked, error) {
	stream, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:              parkedStream,
		Description:       "frames that a broker would not take, by connection",
		Subjects:          []string{parkedPrefix + "*"},
		Storage:           jetstream.FileStorage,
		Discard:           jetstream.DiscardOld,
		MaxAge:            maxParkedAge,
		MaxBytes:          maxParkedBytes,
		MaxMsgsPerSubject: maxParkedPerConnection,
		Replicas:          replicas,
		AllowDirect:       true,
	})
	if err != nil {
		return nil, fmt.Errorf("open stream %s (%d bytes): %w", parkedStream, maxParkedBytes, err)
	}
	return &Parked{js: js, stream: stream}, nil
}

// Park stores a frame of a connection. After an error it may be stored: the same frame with the same ParkedAt may be
// given again, within two minutes, and is stored once.
func (p *Parked) Park(ctx context.Context, id string, f ParkedFrame) error {
	msg := &nats.Msg{Subject: parkedPrefix + id, Data: f.Raw, Header: nats.Header{
		headerFirst:    {strconv.FormatUint(f.Number, 10)},
		headerTopic:    {f.Topic},
		headerReason:   {oneLine(f.Reason)},
		headerAttempts: {strconv.Itoa(f.Attempts)},
	}}
	_, err := p.js.PublishMsg(ctx, msg, jetstream.WithMsgID(fmt.Sprint(id, f.Number, f.ParkedAt.UnixNano())))
	if err != nil {
		return fmt.Errorf("park frame %d of connection %s: %w", f.Number, id, err)
	}
	return nil
}

// List returns at most limit of a connection's parked frames, oldest first, behind the one named after; 0 for all.
func (p *Parked) List(ctx context.Context, id string, after uint64, limit int) ([]ParkedFrame, error) {
	var frames []ParkedFrame
	for seq := after + 1; len(frames) < limit; {
		msg, err := p.stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(parkedPrefix+id))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("list the parked frames of connection %s: %w", id, err)
		}
		frames = append(frames, readParked(msg))
		seq = msg.Sequence + 1
	}
	return frames, nil
}

// Get returns one parked frame, or ErrNotParked.
func (p *Parked) Get(ctx context.Context, id string, seq uint64) (ParkedFrame, error) {
	msg, err := p.stream.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && msg.Subject != parkedPrefix+id {
		return ParkedFrame{}, fmt.Errorf("connection %s, %d: %w", id, seq, ErrNotParked)
	}
	if err != nil {
		return ParkedFrame{}, fmt.Errorf("read parked frame %d of connection %s: %w", seq, id, err)
	}
	return readParked(msg), nil
}

// Drop forgets one parked frame for good, or returns ErrNotParked.
func (p *Parked) Drop(ctx context.Context, id string, seq uint64) error {
	if _, err := p.Get(ctx, id, seq); err != nil {
		return err
	}
	if err := p.stream.DeleteMsg(ctx, seq); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("drop parked frame %d of connection %s: %w", seq, id, err)
	}
	return nil
}

func readParked(msg *jetstream.RawStreamMsg) ParkedFrame {
	number, _ := strconv.ParseUint(msg.Header.Get(headerFirst), 10, 64) // what a stranger has put there is still shown
	attempts, _ := strconv.Atoi(msg.Header.Get(headerAttempts))
	return ParkedFrame{
		Seq: msg.Sequence, Number: number, Topic: msg.Header.Get(headerTopic), Reason: msg.Header.Get(headerReason),
		Attempts: attempts, ParkedAt: msg.Time, Raw: msg.Data,
	}
}

// oneLine is text as a header can carry it.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' {
			return ' '
		}
		return r
	}, text)
}
