package buffer_test

import (
	"reflect"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

// A deleted connection leaves nothing, the next one of its ID begins at the beginning, and others keep what is theirs.
func TestPurge(t *testing.T) {
	n := testkit.StartNATS(t)
	s := open(t, n, buffer.Config{})
	cursors, err := buffer.OpenCursors(t.Context(), n.JetStream, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"acme", "acme-2"} {
		b := store(t, openLog(t, s, id, 0), uplinks(t, 1, 10))
		if _, err := cursors.Save(t.Context(), id, buffer.Cursor{Position: buffer.Position{Number: b.Last(), Seq: b.Seq}, Epoch: 7}, 0); err != nil {
			t.Fatal(err)
		}
	}
	parked, err := buffer.OpenParked(t.Context(), n.JetStream, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"acme", "acme-2"} {
		if _, err := s.SaveSource(t.Context(), id, buffer.Source{Heard: 7}, 0); err != nil {
			t.Fatal(err)
		}
		if err := parked.Park(t.Context(), id, buffer.ParkedFrame{Number: 1, Raw: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second finds nothing
		if err := s.Purge(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
		if err := cursors.Purge(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
		if err := parked.Purge(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]int{"acme": 0, "acme-2": 1} {
		frames, err := parked.List(t.Context(), id, 0, 10)
		if err != nil || len(frames) != want {
			t.Errorf("%s has %d parked frames, %v", id, len(frames), err)
		}
		if source, revision, err := s.LoadSource(t.Context(), id); err != nil || (revision == 0) != (want == 0) || (source.Heard == 0) != (want == 0) {
			t.Errorf("%s has source record %+v at revision %d, %v", id, source, revision, err)
		}
	}
	if last := openLog(t, s, "acme", 0).Last(); last != 0 {
		t.Errorf("its buffer goes up to frame %d", last)
	}
	cursor, revision, err := cursors.Load(t.Context(), "acme")
	if err != nil || revision != 0 || !reflect.DeepEqual(cursor, buffer.Cursor{}) {
		t.Errorf("its cursor is %+v at revision %d, %v", cursor, revision, err)
	}
	if _, err := cursors.Save(t.Context(), "acme", buffer.Cursor{Epoch: 1}, revision); err != nil {
		t.Errorf("a new cursor: %v", err)
	}
	if last := openLog(t, s, "acme-2", 0).Last(); last != 10 {
		t.Errorf("the other's buffer goes up to frame %d", last)
	}
	if cursor, _, err := cursors.Load(t.Context(), "acme-2"); err != nil || cursor.Number != 10 {
		t.Errorf("the other's cursor is %+v, %v", cursor, err)
	}
}
