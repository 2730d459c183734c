package broker

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// meter is a connection that takes a write only when the test lets it, and keeps what was written how.
type meter struct {
	net.Conn // one end of a pipe: for reading, deadlines and closing

	mu      sync.Mutex
	writes  [][]byte
	release chan struct{}
}

func (m *meter) Write(p []byte) (int, error) {
	m.mu.Lock()
	m.writes = append(m.writes, slices.Clone(p))
	m.mu.Unlock()
	<-m.release
	return len(p), nil
}

func (m *meter) written() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []string
	for _, w := range m.writes {
		list = append(list, string(w))
	}
	return list
}

func newMeter(t *testing.T) (m *meter, w *wire) {
	here, there := net.Pipe()
	m = &meter{Conn: here, release: make(chan struct{})}
	w = newWire(m, m, Options{AckTimeout: time.Second}, newAcks(func(uint64) {}))
	t.Cleanup(func() {
		close(m.release)
		_ = w.Close()
		<-w.done
		_ = there.Close()
	})
	return m, w
}

func TestWritesLeaveTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, w := newMeter(t)
		for i, p := range []string{"a", "b", "c", "d", "e"} {
			if n, err := w.Write([]byte(p)); n != 1 || err != nil {
				t.Fatalf("Write = %d, %v", n, err)
			}
			if i == 0 {
				synctest.Wait() // the first is on its way; no time has to pass for that
			}
		}
		if got := m.written(); !slices.Equal(got, []string{"a"}) {
			t.Fatalf("an idle wire has written %q, want the first packet at once", got)
		}
		m.release <- struct{}{}
		synctest.Wait()
		if got := m.written(); !slices.Equal(got, []string{"a", "bcde"}) {
			t.Fatalf("written %q, want what waited in one", got)
		}
	})
}

func TestWritersWaitForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, w := newMeter(t)
		half, long := strings.Repeat("h", maxPending/2), strings.Repeat("l", 3*maxPending)
		taken := 0
		write := func(p string) {
			_, _ = w.Write([]byte(p))
			taken++
		}
		write("1")
		synctest.Wait() // on its way, and stuck there
		go func() {
			for _, p := range []string{half, half, "2", long, "3"} {
				write(p)
			}
		}()
		// What is taken while the write before is under way, and what that one then is.
		for _, step := range []struct {
			taken int
			next  string
		}{{3, half + half}, {4, "2"}, {5, long}, {6, "3"}} {
			synctest.Wait()
			if taken != step.taken {
				t.Errorf("%d writes taken, want %d", taken, step.taken)
			}
			m.release <- struct{}{}
			synctest.Wait()
			if got := m.written(); got[len(got)-1] != step.next {
				t.Errorf("wrote %d bytes, want %d", len(got[len(got)-1]), len(step.next))
			}
		}
	})
}

func TestCloseFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		w := newWire(here, here, Options{AckTimeout: time.Second}, newAcks(func(uint64) {}))
		if _, err := w.Write([]byte("goodbye")); err != nil {
			t.Fatal(err)
		}
		read := make(chan error)
		go func() {
			_, err := w.Read(make([]byte, 1))
			read <- err
		}()
		synctest.Wait()
		_ = w.Close()
		if _, err := w.Write([]byte("more")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write after Close: %v", err)
		}
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the reader got %v", err)
		}
		if got, err := io.ReadAll(there); string(got) != "goodbye" || err != nil {
			t.Errorf("the other end got %q, %v", got, err)
		}
		<-w.done
		if w.reason() != nil || !w.hasEnded() {
			t.Errorf("reason %v", w.reason())
		}
	})
}

func TestCloseOnAStalledWireIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe() // nobody reads
		defer there.Close()
		w := newWire(here, here, Options{AckTimeout: time.Hour}, newAcks(func(uint64) {}))
		_, _ = w.Write([]byte("x"))
		synctest.Wait()
		start := time.Now()
		_ = w.Close()
		<-w.done
		if took := time.Since(start); took != linger {
			t.Errorf("took %v", took)
		}
	})
}

// Whoever closes the connection below: the wire never says net.ErrClosed unless it was closed itself.
func TestTheReasonIsKept(t *testing.T) {
	reason := errors.New("reason")
	for name, c := range map[string]struct {
		breaks func(w *wire, socket, other net.Conn)
		want   error
	}{
		"failed":           {func(w *wire, _, _ net.Conn) { _ = w.fail(reason) }, reason},
		"closed elsewhere": {func(_ *wire, socket, _ net.Conn) { _ = socket.Close() }, ErrReset},
		"closed by peer":   {func(_ *wire, _, other net.Conn) { _ = other.Close() }, ErrClosedByBroker},
		"protocol":         {func(_ *wire, _, other net.Conn) { go func() { _, _ = other.Write([]byte{0xf0, 0}) }() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				defer there.Close()
				w := newWire(here, here, Options{AckTimeout: time.Second}, newAcks(func(uint64) {}))
				c.breaks(w, here, there)
				_, err := w.Read(make([]byte, 1))
				if err == nil || errors.Is(err, net.ErrClosed) || (c.want != nil && !errors.Is(err, c.want)) {
					t.Errorf("Read: %v, want %v", err, c.want)
				}
				if _, again := w.Write([]byte("x")); !errors.Is(again, err) {
					t.Errorf("Write: %v after %v", again, err)
				}
				if strings.Contains(err.Error(), "use of closed network connection") { // what paho looks for
					t.Errorf("%v", err)
				}
				_ = w.Close()
				<-w.done
				if !errors.Is(w.reason(), err) {
					t.Errorf("reason %v", w.reason())
				}
			})
		})
	}
}

func TestWriteErrorsSurface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		w := newWire(here, here, Options{AckTimeout: time.Second}, newAcks(func(uint64) {}))
		if _, err := w.Write([]byte("x")); err != nil { // taken, but it will never leave
			t.Fatal(err)
		}
		if _, err := w.Read(make([]byte, 1)); !errors.Is(err, ErrWriteTimeout) {
			t.Errorf("the reader got %v", err)
		}
		if _, err := w.Write([]byte("x")); !errors.Is(err, ErrWriteTimeout) {
			t.Errorf("the next writer got %v", err)
		}
		<-w.done
	})
}
