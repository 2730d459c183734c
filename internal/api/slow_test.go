package api

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// pipes is a listener whose connections are pipes, so that time is the bubble's.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accepted:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "pipe"} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.accepted <- server
	return client
}

// inBubble serves on pipes in a bubble of its own time.
func inBubble(t *testing.T, test func(*testing.T, *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, p := New(options()), newPipes()
		s.serve(p)
		test(t, p)
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
}

// cutOff reads until the server hangs up and returns what came before, and how long it took.
func cutOff(t *testing.T, conn net.Conn) (string, time.Duration) {
	t.Helper()
	began := time.Now()
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Error(err)
	}
	return string(got), time.Since(began)
}

func TestClientsThatSendTooSlowlyAreCutOff(t *testing.T) {
	for begun, want := range map[string]time.Duration{
		"":                                     headerTimeout,
		"GET /healthz HTT":                     headerTimeout,
		"GET /healthz HTTP/1.1\r\nHost: h\r\n": headerTimeout,
		"GET /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n12": readTimeout, // answered; the rest is awaited so long
	} {
		inBubble(t, func(t *testing.T, p *pipes) {
			conn := p.dial()
			if _, err := io.WriteString(conn, begun); err != nil {
				t.Fatal(err)
			}
			if got, took := cutOff(t, conn); took != want {
				t.Errorf("%q: cut off after %v with %q, want after %v", begun, took, got, want)
			}
		})
	}
}

func TestIdleClientsAreCutOff(t *testing.T) {
	inBubble(t, func(t *testing.T, p *pipes) {
		conn := p.dial()
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if got, took := cutOff(t, conn); took != idleTimeout || !strings.HasSuffix(got, "\r\n\r\nok\n") {
			t.Errorf("cut off after %v with %q, want after %v", took, got, idleTimeout)
		}
	})
}

func TestClientsThatDoNotReadAreCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		o := options()
		o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, 1<<20))
			ended <- err
		})
		s, p := New(o), newPipes()
		s.serve(p)
		conn, began := p.dial(), time.Now()
		if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != writeTimeout {
			t.Errorf("ended with %v after %v", err, time.Since(began))
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		_ = conn.Close()
	})
}

func TestTooMuchHeaderIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, p *pipes) {
		conn := p.dial()
		go func() {
			_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: h\r\nX: "+strings.Repeat("x", 2*maxHeaderBytes))
		}()
		if got, _ := cutOff(t, conn); !strings.HasPrefix(got, "HTTP/1.1 431 ") {
			t.Errorf("%q", got)
		}
		_ = conn.Close()
	})
}

// busy is a server with one request under way, which ends when the channel is closed.
func busy(t *testing.T, log io.Writer, test func(t *testing.T, s *Server, conn net.Conn, finish chan struct{})) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		finish := make(chan struct{})
		o := options()
		o.Log = zerolog.New(log)
		o.Ready = func() error {
			<-finish
			return errors.New("finished")
		}
		s, p := New(o), newPipes()
		s.serve(p)
		conn := p.dial()
		if _, err := io.WriteString(conn, "GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		test(t, s, conn, finish)
	})
}

func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	var log bytes.Buffer
	busy(t, &log, func(t *testing.T, s *Server, conn net.Conn, finish chan struct{}) {
		stopped := make(chan error, 1)
		go func() { stopped <- s.Stop() }()
		synctest.Wait()
		select {
		case err := <-stopped:
			t.Fatalf("stopped in the middle of a request: %v", err)
		default:
		}
		close(finish)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || response.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%+v, %v", response, err)
		} else {
			_ = response.Body.Close()
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		_ = conn.Close()
	})
	if log.Len() > 0 {
		t.Error(log.String())
	}
}

// A client that is not done in time must not make a drain a failure.
func TestStopCutsOffWhoIsNotDone(t *testing.T) {
	var log bytes.Buffer
	busy(t, &log, func(t *testing.T, s *Server, conn net.Conn, finish chan struct{}) {
		began := time.Now()
		if err := s.Stop(); err != nil || time.Since(began) != stopTimeout {
			t.Errorf("stopped with %v after %v", err, time.Since(began))
		}
		if got, _ := cutOff(t, conn); got != "" {
			t.Errorf("%q", got)
		}
		close(finish)
	})
	if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), `"level":"warn","waited":5000,"message":"http clients cut off`) {
		t.Error(log.String())
	}
}
