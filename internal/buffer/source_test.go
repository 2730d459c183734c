package buffer_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/buffer"
	"github.com/lorry-mqtt/lorry/internal/testkit"
)

func TestASourceRecordIsSavedByCompareAndSet(t *testing.T) {
	s := open(t, testkit.StartNATS(t), buffer.Config{})
	got, revision, err := s.LoadSource(t.Context(), "acme")
	if err != nil || revision != 0 || !reflect.DeepEqual(got, buffer.Source{}) {
		t.Fatalf("%+v, %d, %v", got, revision, err)
	}
	closed := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	want := buffer.Source{Heard: 1.5, Replay: 2, Owed: 3, Gaps: []buffer.Gap{{Since: closed, Until: closed, Types: "uplink", Reason: "evicted", ClosedAt: &closed}}}
	want.Replayed.From, want.Replayed.Last = 4, 5
	first, err := s.SaveSource(t.Context(), "acme", want, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, revision := range []uint64{0, first + 1} {
		if _, err := s.SaveSource(t.Context(), "acme", buffer.Source{}, revision); !errors.Is(err, buffer.ErrStale) {
			t.Errorf("saved at revision %d: %v", revision, err)
		}
	}
	if got, revision, err = s.LoadSource(t.Context(), "acme"); err != nil || revision != first || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %d, %v", got, revision, err)
	}
}
