package source

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

func TestTheEndIsExplained(t *testing.T) {
	t.Parallel()
	leave := func(code int, text string) func(*testing.T, *peer) {
		return func(t *testing.T, p *peer) {
			if err := p.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, text), time.Time{}); err != nil {
				t.Error(err)
			}
			var echo *websocket.CloseError
			if err := p.drain(); !errors.As(err, &echo) || echo.Code != code {
				t.Errorf("close code %d was answered with %v", code, err)
			}
		}
	}
	raw := func(b ...byte) func(*testing.T, *peer) {
		return func(t *testing.T, p *peer) { p.raw(t, b); _ = p.drain() }
	}
	for name, c := range map[string]struct {
		bye    func(*testing.T, *peer)
		reason EndReason
		code   int
		says   string
	}{
		"normal":            {leave(1000, ""), EndCloseFrame, 1000, "close code 1000"},
		"restart":           {leave(1012, "new\nversion"), EndCloseFrame, 1012, `close code 1012: "new\nversion"`},
		"own code":          {leave(4001, "token revoked"), EndCloseFrame, 4001, "token revoked"},
		"no code":           {leave(1005, ""), EndCloseFrame, 1005, "close code 1005"},
		"no close frame":    {func(*testing.T, *peer) {}, EndLost, 0, "without a close frame"},
		"within a frame":    {func(t *testing.T, p *peer) { p.raw(t, []byte{0x81, 0x10, '{'}) }, EndLost, 0, "without a close frame"},
		"reset":             {reset, EndLost, 0, "reset"},
		"forbidden code":    {raw(0x88, 0x02, 0x03, 0xee), EndProtocol, 0, "bad close code"},
		"masked":            {raw(0x81, 0x81, 1, 2, 3, 4, 5), EndProtocol, 0, "MASK"},
		"unknown opcode":    {raw(0x83, 0x00), EndProtocol, 0, "opcode"},
		"compressed":        {raw(0xc1, 0x00), EndProtocol, 0, "RSV1"},
		"endless PING":      {raw(0x89, 0x7e, 0x01, 0x00), EndProtocol, 0, "control"},
		"not begun":         {raw(0x80, 0x00), EndProtocol, 0, "continuation"},
		"negative length":   {raw(0x81, 0x7f, 0xff, 0, 0, 0, 0, 0, 0, 0), EndProtocol, 0, "limit"},
		"within a fragment": {raw(0x01, 0x01, '{', 0x81, 0x00), EndProtocol, 0, "FIN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, listen(t, upgrade(func(p *peer) {
				p.text(t, info(1))
				p.text(t, info(2))
				c.bye(t, p)
			})))
			await(t, s.done, "end of the goroutines without Close")
			frames, end := ended(t, s)
			if name != "reset" && strings.Join(frames, "") != info(1)+info(2) {
				t.Errorf("frames before the end: %q", frames)
			}
			if end.Reason != c.reason || end.CloseCode != c.code || !strings.Contains(end.Error(), c.says) {
				t.Errorf("ended by %s, %d: %v, want %s, %d with %q", end.Reason, end.CloseCode, end, c.reason, c.code, c.says)
			}
			if _, again := ended(t, s); again != end {
				t.Errorf("the second time it ended by %v", again)
			}
			if err := s.Write(patient(t), []byte("{}")); !errors.Is(err, end) {
				t.Errorf("write after the end: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("close after the end: %v", err)
			}
		})
	}
}

// reset closes the connection the hard way: with RST instead of FIN.
func reset(t *testing.T, p *peer) {
	if err := p.NetConn().(*net.TCPConn).SetLinger(0); err != nil {
		t.Error(err)
	}
}

func TestCloseTakesLeave(t *testing.T) {
	t.Parallel()
	left := make(chan error, 1)
	s := open(t, listen(t, upgrade(func(p *peer) {
		p.text(t, info(1))
		left <- p.drain()
	})))
	if err := s.Write(patient(t), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 5 {
		wait.Go(func() {
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
	wait.Wait()
	if err := await(t, left, "close frame"); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("the peer saw %v, want close code 1000", err)
	}
	if _, end := ended(t, s); end.Reason != EndClosed || end.Error() != "session is closed" {
		t.Errorf("ended by %v", end)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
}

// What was written last must not be lost to a reset because frames nobody wanted were still coming in.
func TestCloseLosesNoDownlink(t *testing.T) {
	t.Parallel()
	const downlinks = 100
	count := make(chan int, 1)
	s := open(t, listen(t, upgrade(func(p *peer) {
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			for p.WriteMessage(websocket.TextMessage, []byte(uplink(1, 560))) == nil {
			}
		}()
		n := 0
		for ; ; n++ {
			if _, _, err := p.ReadMessage(); err != nil {
				break
			}
		}
		count <- n
		_ = p.Close()
		<-closed
	})))
	for range downlinks {
		if err := s.Write(patient(t), []byte(`{"type":"downlink_response"}`)); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Close()
	if n := await(t, count, "count"); n != downlinks {
		t.Errorf("%d downlinks arrived, want %d", n, downlinks)
	}
}

func TestCloseIsBounded(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(*webSocket){
		"the peer is stuck": func(*webSocket) {},
		"a write hangs":     func(s *webSocket) { go func() { _ = s.Write(context.Background(), []byte("{}")) }(); synctest.Wait() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stuck(t)
				before(s)
				begin := time.Now()
				_ = s.Close()
				if took := time.Since(begin); took > 2*leaveWait {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

func TestCloseFreesAReaderAndABackpressuredSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, pipes(t, upgrade(func(p *peer) {
			go func() {
				for i := range 2 * MaxBatchFrames {
					if p.WriteMessage(websocket.TextMessage, []byte(info(i))) != nil {
						return
					}
				}
			}()
			_ = p.drain()
		})))
		synctest.Wait()
		if !s.intake.full() {
			t.Error("the batch is not full")
		}
		_ = s.Close()
		frames, end := endedIn(t, s)
		if len(frames) != MaxBatchFrames+1 || frames[MaxBatchFrames] != info(MaxBatchFrames) {
			t.Errorf("%d frames were left, want a batch and the one in hand", len(frames))
		}
		if end.Reason != EndClosed {
			t.Errorf("ended by %v", end)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := open(t, pipes(t, upgrade(func(p *peer) { _ = p.drain() })))
		freed := make(chan error)
		go func() { _, err := s.Read(context.Background()); freed <- err }()
		synctest.Wait()
		_ = s.Close()
		var end *EndedError
		if err := <-freed; !errors.As(err, &end) || end.Reason != EndClosed {
			t.Errorf("the reader got %v", err)
		}
	})
}

func TestReadIsBoundedByItsContext(t *testing.T) {
	t.Parallel()
	send := make(chan struct{})
	s := open(t, listen(t, upgrade(func(p *peer) {
		<-send
		p.text(t, info(1))
		_ = p.drain()
	})))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if frames, err := s.Read(ctx); !errors.Is(err, context.Canceled) || frames != nil {
		t.Errorf("read %d frames, %v", len(frames), err)
	}
	close(send)
	if got := readN(t, s, 1); got[0] != info(1) {
		t.Errorf("the next read: %s", got)
	}
}
