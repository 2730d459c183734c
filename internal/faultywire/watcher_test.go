package faultywire

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// noted is a Watcher that takes notes.
type noted struct {
	Changes
	mu    sync.Mutex
	notes []string
}

func (n *noted) note(format string, args ...any) {
	n.mu.Lock()
	n.notes = append(n.notes, fmt.Sprintf(format, args...))
	n.mu.Unlock()
	n.Raise()
}

func (n *noted) Published(link int, p Packet) {
	topic, payload, _ := p.Message()
	n.note("link %d publishes %s=%s", link, topic, payload)
}
func (n *noted) Acknowledged(link int, id uint16) { n.note("link %d acknowledges %d", link, id) }
func (n *noted) Passed(link int, id uint16)       { n.note("link %d passes %d", link, id) }

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
	p.Drop()
	for i := range 2 {
		client, err := net.Dial("tcp", p.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		if _, err := client.Write([]byte{0x32, 6, 0, 1, 't', 0, 1, 'a'}); err != nil {
			t.Fatal(err)
		}
		timeout := time.AfterFunc(20*time.Second, func() { _ = client.Close(); p.Close() })
		if i == 0 {
			err = watch.Await(t.Context(), func() bool { watch.mu.Lock(); defer watch.mu.Unlock(); return len(watch.notes) == 2 })
			p.Pass()
		} else {
			_, err = ReadPacket(bufio.NewReader(client))
		}
		timeout.Stop()
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
