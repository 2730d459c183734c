package faultywire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// noted is a Watcher that takes notes.
type noted struct {
	mu    sync.Mutex
	notes []string
}

func (n *noted) note(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.notes = append(n.notes, fmt.Sprintf(format, args...))
}

func (n *noted) Published(link int, p Packet) {
	topic, payload, _ := p.Message()
	n.note("link %d publishes %s=%s", link, topic, payload)
}
func (n *noted) Acknowledged(link int, id uint16) { n.note("link %d acknowledges %d", link, id) }
func (n *noted) Passed(link int, id uint16)       { n.note("link %d passes %d", link, id) }

func TestAwaitEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	var c Changes
	asked := 0
	err := c.Await(ctx, func() bool {
		if asked++; asked == 1 {
			c.Raise() // so that it asks again
		} else {
			cancel(enough)
		}
		return false
	})
	if !errors.Is(err, enough) || asked != 2 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// TestWatcher follows a publish whose PUBACK is lost, and on another link one whose PUBACK is not.
func TestWatcher(t *testing.T) {
	broker, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := broker.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				for r := bufio.NewReader(conn); ; {
					p, err := ReadPacket(r)
					if err != nil {
						return
					}
					id, _ := p.ID()
					_, _ = conn.Write([]byte{0x40, 2, byte(id >> 8), byte(id)}) // who has gone needs none
				}
			})
		}
	})
	watch := &noted{}
	p, err := NewPubackProxy(broker.Addr().String(), watch)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		p.Close()
		_ = broker.Close()
		serving.Wait()
	}()
	want := []string{
		"link 1 publishes t=a", "link 1 acknowledges 1",
		"link 2 publishes t=a", "link 2 acknowledges 1", "link 2 passes 1",
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel() // cuts the clients off
	p.Drop()
	for i := range 2 {
		client, err := net.Dial("tcp", p.Address())
		if err != nil {
			t.Fatal(err)
		}
		context.AfterFunc(ctx, func() { _ = client.Close() })
		if _, err := client.Write([]byte{0x32, 6, 0, 1, 't', 0, 1, 'a'}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			err = p.Await(ctx, func() bool { return p.Dropped() == 1 })
			p.Pass()
		} else {
			_, err = ReadPacket(bufio.NewReader(client))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	watch.mu.Lock()
	defer watch.mu.Unlock()
	if !slices.Equal(watch.notes, want) {
		t.Errorf("noted %q, want %q", watch.notes, want)
	}
}
