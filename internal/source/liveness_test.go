package source

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// pass lets fake time go by.
func pass(d time.Duration) { <-time.After(d) }

// pong is a Network Server's sign of life that nobody asked for (RFC 6455 §5.5.3).
func (p *peer) pong(tb testing.TB) {
	tb.Helper()
	if err := p.WriteControl(websocket.PongMessage, nil, time.Time{}); err != nil {
		tb.Errorf("peer: PONG: %v", err)
	}
}

// deaf makes the peer read, but not answer PINGs.
func (p *peer) deaf() {
	p.SetPingHandler(func(string) error { return nil })
	_ = p.drain()
}

func TestSilenceEndsTheSession(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]func(*testing.T, *peer){
		"after the handshake": func(*testing.T, *peer) {},
		"after a frame":       func(t *testing.T, p *peer) { pass(30 * time.Second); p.text(t, info(1)) },
		"after a PONG":        func(t *testing.T, p *peer) { pass(49 * time.Second); p.pong(t) },
		"within a frame":      func(t *testing.T, p *peer) { p.raw(t, textFrame(uplink(1, 5000))[:3000]) },
		"within a header":     func(t *testing.T, p *peer) { p.raw(t, []byte{0x81}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				silent := make(chan time.Time, 1)
				s := open(t, pipes(t, upgrade(func(p *peer) {
					go func() { last(t, p); silent <- time.Now() }()
					p.deaf()
				})))
				frames, end := endedIn(t, s)
				if end.Reason != EndSilence || !strings.Contains(end.Error(), "nothing received for 50s") {
					t.Errorf("ended by %s: %v", end.Reason, end)
				}
				if took := time.Since(<-silent); took != DefaultSilence {
					t.Errorf("silence was noticed after %s, want %s", took, DefaultSilence)
				}
				if want := strings.Count(name, "a frame") - strings.Count(name, "within a frame"); len(frames) != want {
					t.Errorf("%d frames before the silence, want %d", len(frames), want)
				}
				await(t, s.done, "end of the goroutines without Close")
			})
		})
	}
}

// endedIn is ended without a bound: a bubble's fake clock would strike it at once.
func endedIn(t *testing.T, s Session) (got []string, end *EndedError) {
	t.Helper()
	for {
		frames, err := s.Read(t.Context())
		if errors.As(err, &end) {
			return got, end
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range frames {
			got = append(got, string(f.Raw))
		}
	}
}

func TestAnySignOfLifeKeepsTheSession(t *testing.T) {
	t.Parallel()
	const signs = 100
	slowly := textFrame(strings.Repeat("x", 10*signs))
	for name, c := range map[string]struct {
		every time.Duration
		sign  func(*testing.T, *peer, int)
	}{
		"unsolicited PONG":             {25 * time.Second, func(t *testing.T, p *peer, _ int) { p.pong(t) }},
		"PING":                         {49 * time.Second, func(t *testing.T, p *peer, _ int) { p.raw(t, []byte{0x89, 0x00}) }},
		"frames":                       {49 * time.Second, func(t *testing.T, p *peer, n int) { p.text(t, info(n)) }},
		"what is no frame":             {49 * time.Second, func(t *testing.T, p *peer, _ int) { p.text(t, "garbage") }},
		"progress within a huge frame": {49 * time.Second, func(t *testing.T, p *peer, n int) { p.raw(t, slowly[10*n:10*n+10]) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				s := open(t, pipes(t, upgrade(func(p *peer) {
					go func() {
						for n := range signs {
							pass(c.every)
							c.sign(t, p, n)
						}
					}()
					p.deaf()
				})))
				_, end := endedIn(t, s)
				if lived, want := time.Since(begin), signs*c.every+DefaultSilence; end.Reason != EndSilence || lived != want {
					t.Errorf("ended by %s after %s, want %s after %s", end.Reason, lived, EndSilence, want)
				}
			})
		})
	}
}

func TestOurPINGsKeepTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pings := make(chan time.Time, 1000)
		begin := time.Now()
		o := pipes(t, upgrade(func(p *peer) {
			answer := p.PingHandler()
			p.SetPingHandler(func(payload string) error {
				pings <- time.Now()
				return answer(payload)
			})
			_ = p.drain()
		}))
		s := open(t, o)
		pass(time.Hour)
		if s.over() {
			t.Fatalf("ended by %v", s.cause)
		}
		if n := len(pings); n < 119 || n > 120 {
			t.Errorf("%d PINGs in an hour, want one every 30 s", n)
		}
		if first := (<-pings).Sub(begin); first != DefaultPingInterval {
			t.Errorf("first PING after %s", first)
		}
	})
}

// A Network Server that keeps its word is asked for no sign of life, until it stops giving them.
func TestNoPINGWhileThePeerSpeaks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pings := make(chan time.Time, 100)
		o := pipes(t, upgrade(func(p *peer) {
			p.SetPingHandler(func(string) error { pings <- time.Now(); return nil })
			go func() {
				for range 100 {
					pass(25 * time.Second)
					p.pong(t)
				}
			}()
			_ = p.drain()
		}))
		begin := time.Now()
		s := open(t, o)
		pass(100 * 25 * time.Second)
		synctest.Wait()
		if n := len(pings); n > 0 {
			t.Errorf("%d PINGs beside 100 unsolicited PONGs", n)
		}
		<-s.done
		if first := (<-pings).Sub(begin); first != 100*25*time.Second+DefaultPingInterval {
			t.Errorf("first PING after %s", first)
		}
	})
}

func TestAPINGIsAnsweredWithItsPayload(t *testing.T) {
	t.Parallel()
	pongs := make(chan string, 1)
	open(t, listen(t, upgrade(func(p *peer) {
		p.SetPongHandler(func(payload string) error { pongs <- payload; return nil })
		if err := p.WriteControl(websocket.PingMessage, []byte("are you there?"), time.Time{}); err != nil {
			t.Error(err)
		}
		_ = p.drain()
	})))
	if got := await(t, pongs, "PONG"); got != "are you there?" {
		t.Errorf("PONG %q", got)
	}
}

// A peer that floods us with PINGs and reads no PONGs stops neither the frames nor anything else.
func TestTheNewestPINGIsAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var pongs []string
		listens := make(chan struct{})
		s := open(t, pipes(t, upgrade(func(p *peer) {
			for _, payload := range []string{"1", "2", "3", "4"} {
				p.raw(t, append([]byte{0x89, 0x01}, payload...))
				synctest.Wait()
			}
			p.text(t, info(1))
			<-listens
			p.SetPongHandler(func(payload string) error { pongs = append(pongs, payload); return nil })
			_ = p.drain()
		})))
		if frames, err := s.Read(t.Context()); err != nil || len(frames) != 1 {
			t.Errorf("read %d frames, %v", len(frames), err)
		}
		close(listens)
		synctest.Wait()
		_ = s.Close()
		if got := strings.Join(pongs, " "); got != "1 4" {
			t.Errorf("PONGs %s, want the one under way and the newest", got)
		}
	})
}

// Whoever reads slowly has no right to call the peer silent.
func TestBackpressureIsNotSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 3 * MaxBatchFrames
		s := open(t, pipes(t, upgrade(func(p *peer) {
			gone := make(chan struct{})
			go func() {
				for i := range n {
					p.text(t, info(i))
				}
				for { // then as a living Network Server does
					select {
					case <-time.After(25 * time.Second):
						p.pong(t)
					case <-gone:
						return
					}
				}
			}()
			p.deaf()
			close(gone)
		})))
		pass(24 * time.Hour)
		if s.over() {
			t.Fatalf("ended by %v while nobody read", s.cause)
		}
		for next := 0; next < n; {
			frames, err := s.Read(t.Context())
			if err != nil {
				t.Fatalf("after %d frames: %v", next, err)
			}
			if len(frames) > MaxBatchFrames {
				t.Fatalf("a batch of %d", len(frames))
			}
			for _, f := range frames {
				if string(f.Raw) != info(next) {
					t.Fatalf("frame %d is %s", next, f.Raw)
				}
				next++
			}
		}
		pass(time.Hour + time.Second) // not when a PONG is due
		if s.over() {
			t.Fatalf("ended by %v afterwards", s.cause)
		}
	})
}
