package scenario

import (
	"slices"
	"testing"
	"time"
)

func TestMoments(t *testing.T) {
	at := time.Unix(0, 0)
	b := &backlog{}
	if b.last() != (moment{}) {
		t.Errorf("before it was looked at, it is at %+v", b.last())
	}
	b.began = at
	b.history = moments{{at, 100, 50, 1}, {at.Add(500 * time.Millisecond), 200, 150, 2}, {at.Add(time.Second), 400, 350, 3}}
	if b.last().behind() != 50 {
		t.Errorf("it is %v behind", b.last().behind())
	}
	if received, acknowledged := b.history.received().rate(), b.history.rate(); received != 300 || acknowledged != 300 {
		t.Errorf("%v frames/s received, %v acknowledged", received, acknowledged)
	}
	var names []string
	for _, s := range b.lines().Series {
		names = append(names, s.Name)
		if len(s.Values) != 3 || s.Values[2].X != 1 {
			t.Errorf("%s: %v", s.Name, s.Values)
		}
	}
	if !slices.Equal(names, []string{"received", "acknowledged", "behind"}) {
		t.Errorf("lines %v", names)
	}
}
