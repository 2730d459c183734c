package buffer_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/dataapi"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// setAside appends all frames, whose origins are numbers from first on.
func setAside(t *testing.T, a *buffer.Aside, frames []dataapi.Frame, first uint64) {
	t.Helper()
	origins := make([]uint64, len(frames))
	for i := range origins {
		origins[i] = first + uint64(i)
	}
	for len(frames) > 0 {
		n, err := a.Append(t.Context(), frames, origins)
		if err != nil {
			t.Fatal(err)
		}
		frames, origins = frames[n:], origins[n:]
	}
}

func openAside(t *testing.T, s *buffer.Store, id string, settled buffer.Position) (*buffer.Aside, []uint64) {
	t.Helper()
	a, origins, err := s.OpenAside(t.Context(), id, settled)
	if err != nil {
		t.Fatal(err)
	}
	return a, origins
}

func TestWhatIsAsideIsFoundAgain(t *testing.T) {
	s := open(t, testkit.StartNATS(t), buffer.Config{})
	a, origins := openAside(t, s, "acme", buffer.Position{})
	if len(origins) > 0 || a.Last() != 0 {
		t.Fatalf("a new connection has %v aside", origins)
	}
	store(t, openLog(t, s, "acme", 0), uplinks(t, 1, 10)) // the log beside it is another matter
	setAside(t, a, uplinks(t, 1, 1500), 101)
	setAside(t, a, uplinks(t, 1501, 1), 5000)

	again, origins := openAside(t, s, "acme", buffer.Position{})
	if len(origins) != 1501 || origins[0] != 101 || origins[1499] != 1600 || origins[1500] != 5000 || again.Last() != 1501 {
		t.Fatalf("%d origins, last %d", len(origins), again.Last())
	}
	var raw []string
	for pos := (buffer.Position{}); ; {
		batches, err := again.ReadAfter(t.Context(), pos)
		if err != nil {
			t.Fatal(err)
		}
		if len(batches) == 0 {
			break
		}
		for _, b := range batches {
			for i := range b.Frames {
				raw = append(raw, string(b.Frames[i].Raw))
			}
			pos = b.At(b.Last())
		}
	}
	for i, f := range uplinks(t, 1, 1501) {
		if raw[i] != string(f.Raw) {
			t.Fatalf("frame %d aside is %s", i+1, raw[i])
		}
	}
}

func TestOnlyWhatIsDeliveredIsCleared(t *testing.T) {
	s := open(t, testkit.StartNATS(t), buffer.Config{})
	a, _ := openAside(t, s, "acme", buffer.Position{})
	setAside(t, a, uplinks(t, 1, 3), 1)
	batches, err := a.ReadAfter(t.Context(), buffer.Position{})
	if err != nil {
		t.Fatal(err)
	}
	all := batches[0].At(3)
	for _, c := range []struct {
		delivered buffer.Position
		left      int
	}{{batches[0].At(2), 3}, {all, 0}} {
		if err := a.Clear(t.Context(), c.delivered); err != nil {
			t.Fatal(err)
		}
		if _, left := openAside(t, s, "acme", buffer.Position{}); len(left) != c.left {
			t.Errorf("%d frames left after %d were delivered", len(left), c.delivered.Number)
		}
	}
	// Numbers go on, for this process and for one whose cursor was saved.
	setAside(t, a, uplinks(t, 4, 1), 4)
	if next, origins := openAside(t, s, "acme", all); next.Last() != 4 || !slices.Equal(origins, []uint64{4}) {
		t.Errorf("last %d, origins %v", next.Last(), origins)
	}
}

func TestASecondWriterAsideIsFenced(t *testing.T) {
	s := open(t, testkit.StartNATS(t), buffer.Config{})
	a, _ := openAside(t, s, "acme", buffer.Position{})
	b, _ := openAside(t, s, "acme", buffer.Position{})
	setAside(t, a, uplinks(t, 1, 1), 1)
	if _, err := b.Append(t.Context(), uplinks(t, 2, 1), []uint64{2}); !errors.Is(err, buffer.ErrFenced) {
		t.Errorf("error %v", err)
	}
}

func TestParkedFramesAreListedAndDropped(t *testing.T) {
	n := testkit.StartNATS(t)
	p, err := buffer.OpenParked(t.Context(), n.JetStream, 1)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_700_000_000, 0)
	for i := range 5 {
		for range 2 { // the first answer may have been lost
			err := p.Park(t.Context(), "acme", buffer.ParkedFrame{
				Number: uint64(i + 1), Topic: "lora/ü", Reason: "line one\r\nline two", Attempts: 5,
				ParkedAt: at.Add(time.Duration(i)), Raw: fmt.Appendf(nil, "{%d}", i),
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := p.Park(t.Context(), "other", buffer.ParkedFrame{Number: 1, Raw: []byte("{}"), ParkedAt: at}); err != nil {
		t.Fatal(err)
	}
	list := func(after uint64, limit int) []buffer.ParkedFrame {
		frames, err := p.List(t.Context(), "acme", after, limit)
		if err != nil {
			t.Fatal(err)
		}
		return frames
	}
	all := list(0, 100)
	if len(all) != 5 || len(list(all[1].Seq, 2)) != 2 || list(all[1].Seq, 2)[0].Number != 3 {
		t.Fatalf("parked: %+v", all)
	}
	f, err := p.Get(t.Context(), "acme", all[2].Seq)
	if err != nil || string(f.Raw) != "{2}" || f.Topic != "lora/ü" || f.Reason != "line one  line two" || f.Attempts != 5 || f.Number != 3 {
		t.Errorf("parked %+v, %v", f, err)
	}
	if err := p.Drop(t.Context(), "acme", all[2].Seq); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{
		"dropped before":       p.Drop(t.Context(), "acme", all[2].Seq),
		"another connection's": p.Drop(t.Context(), "other", all[0].Seq),
		"never there":          p.Drop(t.Context(), "acme", 1_000_000),
	} {
		if !errors.Is(err, buffer.ErrNotParked) {
			t.Errorf("%s: error %v", what, err)
		}
	}
	if left := list(0, 100); len(left) != 4 {
		t.Errorf("left: %+v", left)
	}
}
