package turns_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/lorry-mqtt/lorry/internal/turns"
)

func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn, order := turns.New(2), make(chan int, 5)
		for i := range 5 {
			go func() {
				if err := turn.Take(t.Context()); err != nil {
					t.Error(err)
				}
				order <- i
			}()
			synctest.Wait()
		}
		for i := range 5 {
			if len(order) != min(2, 5-i) {
				t.Errorf("before turn %d was left, %d more were taken", i, len(order))
			}
			if got := <-order; got != i {
				t.Errorf("the one who came as number %d had turn %d", got, i)
			}
			turn.Leave()
			synctest.Wait()
		}
	})
}

func TestTakeEndsWithItsContext(t *testing.T) {
	turn, why := turns.New(1), errors.New("why")
	if err := turn.Take(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := turn.Take(ctx); !errors.Is(err, why) {
		t.Errorf("the error is %v", err)
	}
	turn.Leave()
	if err := turn.Take(ctx); err != nil {
		t.Errorf("a turn that is free: %v", err)
	}
}
