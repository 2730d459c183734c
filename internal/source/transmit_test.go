package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

func TestDownlinksArriveByteForByte(t *testing.T) {
	t.Parallel()
	payloads := []string{
		`{"type":"downlink_claim","meta":{"device":"d"}}`, " {}\n", "", `{"a":1.00e+2, "b":"\u00e9é"}`, strings.Repeat("0123456789abcdef", 16_000),
	}
	got := make(chan string, len(payloads))
	s := open(t, listen(t, upgrade(func(p *peer) {
		for {
			kind, message, err := p.ReadMessage()
			if err != nil {
				return
			}
			if kind != websocket.TextMessage {
				t.Errorf("message of type %d, want text", kind)
			}
			got <- string(message)
		}
	})))
	for _, want := range payloads {
		buf := []byte(want)
		if err := s.Write(patient(t), buf); err != nil {
			t.Fatal(err)
		}
		clear(buf) // the payload is the caller's again
		if message := await(t, got, "downlink"); message != want {
			t.Errorf("received %.100q, want %.100q", message, want)
		}
	}
}

func TestConcurrentWrites(t *testing.T) {
	t.Parallel()
	const writers, each = 8, 200
	got := make(chan []string, 1)
	s := open(t, listen(t, upgrade(func(p *peer) {
		var all []string
		for range writers * each {
			_, message, err := p.ReadMessage()
			if err != nil {
				t.Errorf("peer: after %d: %v", len(all), err)
				break
			}
			all = append(all, string(message))
			p.text(t, string(message)) // and something to read meanwhile
		}
		got <- all
		_ = p.drain()
	})))
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := range each {
				if err := s.Write(patient(t), fmt.Appendf(nil, `{"type":"info","w":%d,"i":"%03d"}`, w, i)); err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
			}
		})
	}
	echoed := readN(t, s, writers*each)
	wait.Wait()
	all := await(t, got, "downlinks")
	if !slices.Equal(all, echoed) {
		t.Error("what came back is not what was sent")
	}
	slices.Sort(all) // stable per writer already: i is ascending in each
	for n, message := range all {
		if want := fmt.Sprintf(`{"type":"info","w":%d,"i":"%03d"}`, n/each, n%each); message != want {
			t.Fatalf("message %d is %s, want %s", n, message, want)
		}
	}
}

// stuck is a session whose peer reads nothing any more.
func stuck(t *testing.T) *webSocket {
	t.Helper()
	gone := make(chan struct{})
	t.Cleanup(func() { close(gone) })
	o := pipes(t, upgrade(func(*peer) { <-gone }))
	o.PingInterval = 24 * time.Hour
	return open(t, o)
}

func TestAWriteThatHangsEndsTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := stuck(t)
		begin := time.Now()
		err := s.Write(t.Context(), []byte("{}"))
		var end *EndedError
		if !errors.As(err, &end) || end.Reason != EndWrite || !strings.Contains(err.Error(), "timeout") {
			t.Errorf("%v, want the end by %s", err, EndWrite)
		}
		if took := time.Since(begin); took < DefaultWriteTimeout || took > DefaultWriteTimeout+leaveWait {
			t.Errorf("took %s", took)
		}
		<-s.done
		if err := s.Write(t.Context(), []byte("{}")); !errors.As(err, &end) {
			t.Errorf("write after the end: %v", err)
		}
	})
}

func TestAPINGThatHangsEndsTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gone := make(chan struct{})
		t.Cleanup(func() { close(gone) })
		s := open(t, pipes(t, upgrade(func(*peer) { <-gone })))
		begin := time.Now()
		if _, end := endedIn(t, s); end.Reason != EndWrite {
			t.Errorf("ended by %v", end)
		}
		if took, want := time.Since(begin), DefaultPingInterval+DefaultWriteTimeout+leaveWait; took != want {
			t.Errorf("ended after %s, want %s", took, want)
		}
	})
}

func TestAWriteIsBoundedByItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := stuck(t)
		var wait sync.WaitGroup
		for n, want := range []string{"not known whether sent", "nothing sent"} {
			wait.Go(func() {
				pass(time.Duration(n) * time.Second) // the second waits for its turn behind the first
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				begin := time.Now()
				err := s.Write(ctx, []byte("{}"))
				if took := time.Since(begin); took != 2*time.Second || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), want) {
					t.Errorf("write %d: after %s: %v, want it to say %s", n, took, err, want)
				}
			})
		}
		wait.Wait()
		if s.over() {
			t.Errorf("the callers' impatience ended the session: %v", s.cause)
		}
	})
}

// A caller that gave up may use its buffer again, while the message is still being written.
func TestAnAbandonedPayloadIsNotTheCallersAnyMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		listens, got := make(chan struct{}), make(chan string, 1)
		s := open(t, pipes(t, upgrade(func(p *peer) {
			<-listens
			_, message, err := p.ReadMessage()
			if err != nil {
				t.Errorf("peer: %v", err)
			}
			got <- string(message)
			_ = p.drain()
		})))
		want := strings.Repeat("x", 10*writeBufferBytes)
		payload := []byte(want)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Write(ctx, payload); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("write: %v", err)
		}
		clear(payload)
		close(listens)
		if message := <-got; message != want {
			t.Error("the message changed while it was written")
		}
	})
}
