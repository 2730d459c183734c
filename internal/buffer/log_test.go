package buffer_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

func open(t testing.TB, n *testkit.NATS, cfg buffer.Config) *buffer.Store {
	t.Helper()
	if cfg.Replicas == 0 {
		cfg.Replicas = 1
	}
	s, err := buffer.Open(t.Context(), n.JetStream, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openLog(t testing.TB, s *buffer.Store, id string, floor uint64) *buffer.Log {
	t.Helper()
	l, err := s.OpenLog(t.Context(), id, floor)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// uplinks makes n frames that name their number.
func uplinks(t testing.TB, first, n int) (out []dataapi.Frame) {
	t.Helper()
	for i := first; i < first+n; i++ {
		raw := fmt.Appendf(nil, `{"type":"uplink","meta":{"device":"d","time":%d.5},"params":{"counter_up":%d}}`, 1000+i, i)
		envelope, err := dataapi.Scan(raw)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, dataapi.Frame{Raw: raw, Envelope: envelope})
	}
	return out
}

// store appends all frames and returns the last batch.
func store(t *testing.T, l *buffer.Log, frames []dataapi.Frame) (b buffer.Batch) {
	t.Helper()
	for len(frames) > 0 {
		var err error
		if b, err = l.Append(t.Context(), frames); err != nil {
			t.Fatal(err)
		}
		if err := l.Trim(t.Context()); err != nil {
			t.Fatal(err)
		}
		frames = frames[len(b.Frames):]
	}
	return b
}

// readAll reads the log from a position to its end and checks that it misses nothing behind the first frame.
func readAll(t *testing.T, l *buffer.Log, pos buffer.Position) (first uint64, raw []string) {
	t.Helper()
	for {
		batches, err := l.ReadAfter(t.Context(), pos)
		if err != nil {
			t.Fatal(err)
		}
		if len(batches) == 0 {
			return first, raw
		}
		for _, b := range batches {
			if first == 0 {
				first = b.First
			} else if b.First != pos.Number+1 {
				t.Fatalf("frame %d followed %d", b.First, pos.Number)
			}
			for _, f := range b.Frames {
				raw = append(raw, string(f.Raw))
			}
			pos = b.At(b.Last())
		}
	}
}

func TestALogReturnsWhatWasAppendedAlsoAfterARestart(t *testing.T) {
	n := testkit.StartNATS(t)
	in := uplinks(t, 1, 2000)
	l := openLog(t, open(t, n, buffer.Config{}), "acme", 0)
	other := openLog(t, open(t, n, buffer.Config{}), "other", 0)
	for i := 0; i < len(in); i += 100 {
		store(t, l, in[i:i+100])
		store(t, other, uplinks(t, 1, 3))
	}
	n.Restart()
	l = openLog(t, open(t, n, buffer.Config{}), "acme", 0)
	if l.Last() != 2000 || l.Highest() != 3000.5 {
		t.Errorf("last frame %d, highest meta.time %v", l.Last(), l.Highest())
	}
	first, out := readAll(t, l, buffer.Position{})
	if first != 1 || len(out) != len(in) {
		t.Fatalf("read %d frames from %d", len(out), first)
	}
	for i := range in {
		if out[i] != string(in[i].Raw) {
			t.Fatalf("frame %d: %s, want %s", i+1, out[i], in[i].Raw)
		}
	}
	if b := store(t, l, uplinks(t, 2001, 1)); b.First != 2001 {
		t.Errorf("after the restart the next frame has number %d", b.First)
	}
	if first, out := readAll(t, l, buffer.Position{Number: 1950}); first != 1951 || len(out) != 51 {
		t.Errorf("from the middle of a batch: %d frames from %d", len(out), first)
	}
}

func TestAnAppendTakesAsManyFramesAsAMessageHolds(t *testing.T) {
	n := testkit.StartNATS(t)
	l := openLog(t, open(t, n, buffer.Config{}), "acme", 0)
	if b, err := l.Append(t.Context(), uplinks(t, 1, 600)); err != nil || len(b.Frames) != 512 {
		t.Errorf("%d frames, %v", len(b.Frames), err)
	}
	big := dataapi.Frame{Raw: make([]byte, 1<<20)}
	if b, err := l.Append(t.Context(), []dataapi.Frame{big, big}); err != nil || len(b.Frames) != 1 {
		t.Errorf("%d frames, %v", len(b.Frames), err)
	}
}

func TestAReplayThatWasNotThroughIsRemembered(t *testing.T) {
	n := testkit.StartNATS(t)
	l := openLog(t, open(t, n, buffer.Config{}), "acme", 0)
	store(t, l, uplinks(t, 1, 1))
	l.SetReplay(960.5)
	store(t, l, uplinks(t, 2, 1))
	n.Restart()
	l = openLog(t, open(t, n, buffer.Config{}), "acme", 0)
	if l.Replay() != 960.5 {
		t.Errorf("replay from %v", l.Replay())
	}
	l.SetReplay(0)
	store(t, l, uplinks(t, 3, 1))
	if l = openLog(t, open(t, n, buffer.Config{}), "acme", 0); l.Replay() != 0 {
		t.Errorf("replay from %v after it was through", l.Replay())
	}
}

func TestASecondWriterFencesTheFirst(t *testing.T) {
	n := testkit.StartNATS(t)
	s := open(t, n, buffer.Config{})
	first, second := openLog(t, s, "acme", 0), openLog(t, s, "acme", 0)
	store(t, second, uplinks(t, 1, 2))
	if _, err := first.Append(t.Context(), uplinks(t, 50, 1)); !errors.Is(err, buffer.ErrFenced) {
		t.Errorf("error %v, want %v", err, buffer.ErrFenced)
	}
}

func TestAnAppendWhoseAcknowledgementWasLostIsStoredOnce(t *testing.T) {
	n := testkit.StartNATS(t)
	s := open(t, n, buffer.Config{})
	l, lost := openLog(t, s, "acme", 0), openLog(t, s, "acme", 0)
	frames := uplinks(t, 1, 3)
	store(t, lost, frames) // as l's own write, of which it never heard
	if b := store(t, l, frames); b.First != 1 || l.Last() != 3 {
		t.Errorf("first %d, last %d", b.First, l.Last())
	}
	if _, out := readAll(t, l, buffer.Position{}); len(out) != 3 {
		t.Errorf("%d frames are stored, want 3", len(out))
	}
}

func TestNumbersGoOnWhenTheLimitsHaveRemovedEverything(t *testing.T) {
	n := testkit.StartNATS(t)
	s := open(t, n, buffer.Config{})
	l := openLog(t, s, "acme", 0)
	store(t, l, uplinks(t, 1, 10))
	stream, err := n.JetStream.Stream(t.Context(), buffer.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b := store(t, l, uplinks(t, 11, 1)); b.First != 11 {
		t.Errorf("number %d, want 11", b.First)
	}
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b := store(t, openLog(t, s, "acme", 8), uplinks(t, 1, 1)); b.First != 9 {
		t.Errorf("number %d behind a cursor at 8", b.First)
	}
}

func TestTheBoundHoldsPerConnectionAndSparesTheOthers(t *testing.T) {
	n := testkit.StartNATS(t)
	const bound = 1000
	s := open(t, n, buffer.Config{MaxFramesPerConnection: bound})
	l, quiet := openLog(t, s, "acme", 0), openLog(t, s, "quiet", 0)
	store(t, quiet, uplinks(t, 1, 5))
	for i := range 500 {
		store(t, l, uplinks(t, 1+i*20, 20))
	}
	first, out := readAll(t, l, buffer.Position{})
	if len(out) < bound || len(out) > bound+bound/32+40 {
		t.Errorf("%d frames are kept with a bound of %d", len(out), bound)
	}
	if want := uint64(10000 - len(out) + 1); first != want {
		t.Errorf("the first kept frame is %d, want %d", first, want)
	}
	if _, out := readAll(t, quiet, buffer.Position{}); len(out) != 5 {
		t.Errorf("the quiet connection has %d frames, want 5", len(out))
	}
}

func TestALogIsReadFromATime(t *testing.T) {
	n := testkit.StartNATS(t)
	s := open(t, n, buffer.Config{})
	l, other := openLog(t, s, "acme", 0), openLog(t, s, "other", 0)
	for i := range 100 {
		store(t, l, uplinks(t, 1+i*10, 10)) // frame i has meta.time 1000.5+i
		store(t, other, uplinks(t, 1+i, 1))
	}
	for at, want := range map[float64]uint64{0: 1, 1001.5: 1, 1010.5: 1, 1010.6: 11, 1500: 491, 1995: 991, 2000.5: 991, 2000.6: 0} {
		pos, err := l.FromTime(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		if first, _ := readAll(t, l, pos); first != want {
			t.Errorf("from meta.time %v on the first frame is %d, want %d", at, first, want)
		}
	}
}

func TestALogThatIsGoneCanNotBeRead(t *testing.T) {
	n := testkit.StartNATS(t)
	l := openLog(t, open(t, n, buffer.Config{}), "acme", 0)
	store(t, l, uplinks(t, 1, 1))
	if err := n.JetStream.DeleteStream(t.Context(), buffer.StreamName); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.ReadAfter(ctx, buffer.Position{}); err == nil {
		t.Error("no error")
	}
	if _, err := l.Append(ctx, uplinks(t, 2, 1)); err == nil {
		t.Error("no error")
	}
}

func TestACursorIsSavedByItsNewestHolderOnly(t *testing.T) {
	n := testkit.StartNATS(t)
	cursors, err := buffer.OpenCursors(t.Context(), n.JetStream, 1)
	if err != nil {
		t.Fatal(err)
	}
	c, revision, err := cursors.Load(t.Context(), "acme")
	if err != nil || revision != 0 || !reflect.DeepEqual(c, buffer.Cursor{}) {
		t.Fatalf("a new connection's cursor: %+v at %d, %v", c, revision, err)
	}
	c = buffer.Cursor{Position: buffer.Position{Number: 7, Seq: 9}, Time: 1234.5, Epoch: 2}
	first, err := cursors.Save(t.Context(), "acme", c, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cursors.Save(t.Context(), "acme", c, 0); !errors.Is(err, buffer.ErrStale) {
		t.Errorf("saved over an unknown cursor: %v", err)
	}
	second, err := cursors.Save(t.Context(), "acme", c, first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cursors.Save(t.Context(), "acme", c, first); !errors.Is(err, buffer.ErrStale) {
		t.Errorf("saved by an old revision: %v", err)
	}
	n.Restart()
	if cursors, err = buffer.OpenCursors(t.Context(), n.JetStream, 1); err != nil {
		t.Fatal(err)
	}
	if got, revision, err := cursors.Load(t.Context(), "acme"); err != nil || !reflect.DeepEqual(got, c) || revision != second {
		t.Errorf("loaded %+v at %d, %v", got, revision, err)
	}
}
