package buffer

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// headerOrigins is on a message aside: the numbers that its frames had in the connection's log, separated by spaces;
// 0 for a frame that did not come from there.
const headerOrigins = "Lorry-Origins"

// Aside holds the frames of one connection that have left their place in its log, to be delivered when nothing else
// is waiting: under the subject `aside.ID`, with numbers of their own. Any goroutine may append and read.
type Aside struct {
	log *Log
	mu  sync.Mutex // held while appending
}

// OpenAside finds what is aside behind a position, and which frames of the connection's log are there.
func (s *Store) OpenAside(ctx context.Context, id string, settled Position) (*Aside, []uint64, error) {
	log, err := s.openLog(ctx, id, asidePrefix, settled.Number)
	if err != nil {
		return nil, nil, err
	}
	var origins []uint64
	for pos := settled; pos.Number < log.Last(); {
		before := pos
		err := log.messages(ctx, pos, func(msg *jetstream.RawStreamMsg) error {
			batch, err := unpack(msg.Header, msg.Data, msg.Sequence, msg.Time)
			if err != nil {
				return log.readError(pos, err)
			}
			origins = append(origins, originsIn(msg.Header)...)
			pos = Position{Number: batch.Last(), Seq: msg.Sequence + 1}
			return nil
		})
		if err != nil {
			return nil, nil, fmt.Errorf("open what is aside of connection %s: %w", id, err)
		}
		if pos == before { // the limits have removed it
			break
		}
	}
	return &Aside{log: log}, origins, nil
}

// Last is the number of the newest frame aside.
func (a *Aside) Last() uint64 { return a.log.Last() }

// ReadAfter returns frames behind a position, as [Log.ReadAfter] does.
func (a *Aside) ReadAfter(ctx context.Context, pos Position) ([]Batch, error) {
	return a.log.ReadAfter(ctx, pos)
}

// Append stores frames with the numbers that they had in the connection's log, and returns how many are stored, at
// least one if err is nil; else as [Log.Append].
func (a *Aside) Append(ctx context.Context, frames []dataapi.Frame, origins []uint64) (stored int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	frames = fitting(frames)
	_, err = a.log.append(ctx, frames, origins[:len(frames)])
	if err != nil {
		return 0, fmt.Errorf("set aside: %w", err)
	}
	return len(frames), nil
}

// Clear removes everything, if all of it up to the given position's frame has been delivered and that is the last one.
func (a *Aside) Clear(ctx context.Context, delivered Position) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if delivered.Number < a.log.Last() {
		return nil
	}
	err := a.log.store.stream.Purge(ctx, jetstream.WithPurgeSubject(a.log.subject), jetstream.WithPurgeSequence(delivered.Seq+1))
	if err != nil {
		return fmt.Errorf("remove what was delivered from subject %s: %w", a.log.subject, err)
	}
	return nil
}

func packOrigins(origins []uint64) string {
	texts := make([]string, len(origins))
	for i, n := range origins {
		texts[i] = strconv.FormatUint(n, 10)
	}
	return strings.Join(texts, " ")
}

// originsIn is the inverse of packOrigins; what is no number of a frame is left out.
func originsIn(header nats.Header) (origins []uint64) {
	for text := range strings.FieldsSeq(header.Get(headerOrigins)) {
		if n, err := strconv.ParseUint(text, 10, 64); err == nil && n > 0 {
			origins = append(origins, n)
		}
	}
	return origins
}
