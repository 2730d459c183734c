package backoff_test

import (
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/backoff"
)

func TestScheduleDoublesFromATenthOfASecondToAMinute(t *testing.T) {
	b := backoff.Backoff{}
	want := []time.Duration{
		100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond,
		1600 * time.Millisecond, 3200 * time.Millisecond, 6400 * time.Millisecond, 12800 * time.Millisecond,
		25600 * time.Millisecond, 51200 * time.Millisecond, time.Minute, time.Minute,
	}
	for i, w := range want {
		if got := b.Failed(0); got != w {
			t.Errorf("failure %d: waits %v, want %v", i+1, got, w)
		}
		if b.Attempt() != i+1 {
			t.Errorf("attempt %d, want %d", b.Attempt(), i+1)
		}
	}
}

func TestOnlyAnAttemptThatLastedResetsTheSchedule(t *testing.T) {
	b := backoff.Backoff{}
	b.Failed(0)
	b.Failed(0)
	if got := b.Failed(backoff.DefaultProof - 1); got != 400*time.Millisecond {
		t.Errorf("a session that fell at once reset the schedule: %v", got)
	}
	if got := b.Failed(backoff.DefaultProof); got != backoff.DefaultMin {
		t.Errorf("a session that lasted did not reset the schedule: %v", got)
	}
	b.Reset()
	if b.Attempt() != 0 {
		t.Errorf("attempt after Reset: %d", b.Attempt())
	}
}

func TestJitterLengthensByAtMostItsShareAndNeverPassesMax(t *testing.T) {
	for range 200 {
		b := backoff.New()
		if got := b.Failed(0); got < backoff.DefaultMin || got > backoff.DefaultMin*11/10 {
			t.Fatalf("first delay %v is not within 10 %% above %v", got, backoff.DefaultMin)
		}
		for range 12 {
			b.Failed(0)
		}
		if got := b.Failed(0); got != backoff.DefaultMax {
			t.Fatalf("delay %v, want %v", got, backoff.DefaultMax)
		}
	}
}

func TestAFloorHoldsForBrokersThatLimitConnects(t *testing.T) {
	b := backoff.Backoff{Min: time.Second, Max: 3 * time.Second}
	for i, w := range []time.Duration{time.Second, 2 * time.Second, 3 * time.Second} {
		if got := b.Failed(0); got != w {
			t.Errorf("failure %d: waits %v, want %v", i+1, got, w)
		}
	}
}

func TestNoSoonerRaisesTheDefaultAndNeverLowersIt(t *testing.T) {
	for floor, want := range map[time.Duration]time.Duration{0: backoff.DefaultMin, time.Millisecond: backoff.DefaultMin, time.Second: time.Second} {
		b := backoff.NoSooner(floor)
		for i := range 4 {
			if got := b.Failed(0); got < want || got > want*11/10 {
				t.Errorf("floor %v, failure %d: waits %v, want %v and up to a tenth more", floor, i+1, got, want)
			}
			want *= 2
		}
	}
}
