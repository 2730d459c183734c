package actors

import (
	"context"
	"errors"
	"time"

	"github.com/lorry-mqtt/lorry/internal/buffer"
)

// cursorKeeper writes a connection's cursor, at most once a tick while it moves and one write at a time. It
// belongs to the connection's Receive.
type cursorKeeper struct {
	cursors  *buffer.Cursors
	id       string
	epoch    uint64
	revision uint64

	latest    buffer.Cursor
	dirty     bool // latest is not written
	writing   bool
	scheduled bool
	written   time.Time
}

// Reports of the keeper's goroutine and timer.
type (
	cursorSaved struct {
		keeper   *cursorKeeper
		revision uint64
		err      error
	}
	cursorDue struct{ keeper *cursorKeeper }
)

// newCursorKeeper keeps a cursor as it was taken over from the owner before.
func newCursorKeeper(cursors *buffer.Cursors, id string, c buffer.Cursor, revision uint64) *cursorKeeper {
	return &cursorKeeper{cursors: cursors, id: id, epoch: c.Epoch, revision: revision, latest: c}
}

// moved notes that the floor has risen.
func (k *cursorKeeper) moved(life *incarnation, c buffer.Cursor) {
	k.latest, k.dirty = c, true
	k.schedule(life, tick-time.Since(k.written))
}

func (k *cursorKeeper) schedule(life *incarnation, wait time.Duration) {
	if k.writing || k.scheduled || !k.dirty {
		return
	}
	if wait <= 0 {
		k.write(life)
		return
	}
	k.scheduled = true
	life.after(wait, cursorDue{k})
}

// due writes the cursor when its time has come.
func (k *cursorKeeper) due(life *incarnation) {
	k.scheduled = false
	k.schedule(life, 0)
}

func (k *cursorKeeper) write(life *incarnation) {
	k.writing, k.dirty, k.written = true, false, time.Now()
	cursor, revision := k.latest, k.revision
	cursor.Epoch = k.epoch
	life.run(life.ctx, func(ctx context.Context) {
		next, err := k.cursors.Save(ctx, k.id, cursor, revision)
		if errors.Is(err, buffer.ErrStale) {
			next, err = k.stale(ctx, err)
		}
		life.tell(cursorSaved{keeper: k, revision: next, err: err})
	})
}

// stale finds out whose write was in the way. One of our own whose answer was lost is none.
func (k *cursorKeeper) stale(ctx context.Context, stale error) (uint64, error) {
	stored, revision, err := k.cursors.Load(ctx, k.id)
	if err != nil {
		return 0, err
	}
	if stored.Epoch != k.epoch {
		return 0, stale
	}
	return revision, errBehind
}

// errBehind says that the stored cursor is ours, and older than it should be.
var errBehind = errors.New("the cursor's last write was answered late")

// saved goes on after a write. One that failed is tried again.
func (k *cursorKeeper) saved(life *incarnation, m cursorSaved) {
	k.writing = false
	if m.err == nil || errors.Is(m.err, errBehind) {
		k.revision = m.revision
	}
	if m.err != nil {
		k.dirty = true
	}
	k.schedule(life, tick-time.Since(k.written))
}

// flush reports whether the newest cursor is written, and if not writes it without waiting for its time.
func (k *cursorKeeper) flush(life *incarnation) bool {
	if k.dirty && !k.writing {
		k.write(life)
	}
	return !k.dirty && !k.writing
}
