package part

import (
	"bytes"
	"context"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/lorry-mqtt/lorry/internal/testkit"
)

var rawFlood = Flood{Frames: 1000, Size: 560, Epoch: 1_700_000_000}

func prebuilt128(t *testing.T, f *Flood) []prebuilt {
	t.Helper()
	frames, err := f.prebuild(Cycle)
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

// TestEncodePublish reads what was written with a library.
func TestEncodePublish(t *testing.T) {
	const topic = "lora/uplink/0123456789abcdef"
	before := []byte("before")
	for _, size := range []int{0, 1, 93, 94, 95, 127, 128, 16_349, 16_350, 16_351, 70_000} { // 32 bytes are not payload
		payload := bytes.Repeat([]byte{'x'}, size)
		written := encodePublish(topic, payload).appendTo(before, 0xabcd)
		in := bytes.NewReader(written[len(before):])
		packet, err := packets.ReadPacket(in)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		p, is := packet.(*packets.PublishPacket)
		if !is || p.TopicName != topic || p.MessageID != 0xabcd || p.Qos != 1 || p.Retain || p.Dup || !bytes.Equal(p.Payload, payload) {
			t.Errorf("%d bytes: read as %v", size, packet)
		}
		if in.Len() != 0 || !bytes.HasPrefix(written, before) {
			t.Errorf("%d bytes: %d are left over", size, in.Len())
		}
	}
}

func TestPacketID(t *testing.T) {
	for n, want := range map[uint64]uint16{0: 1, 1: 2, 65_533: 65_534, 65_534: 65_535, 65_535: 1, 65_536: 2, 131_070: 1} {
		if got := packetID(n); got != want {
			t.Errorf("publish %d has identifier %d, want %d", n, got, want)
		}
	}
}

// TestRawPublisher has a real broker receive all of it, held until SIGUSR1.
func TestRawPublisher(t *testing.T) {
	broker := testkit.StartBroker(t)
	numbers := running(t, func(listen string) func(context.Context) error {
		return RawPublisher{Listen: listen, Broker: broker.Address("mqtt"), Window: 100, Held: true, Flood: rawFlood}.Run
	})
	if n := len(broker.Published()); n != 0 {
		t.Errorf("%d were published while it was held", n)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if n := awaitNumber(t, numbers, RawPublisherAcknowledged, float64(rawFlood.Frames)); n != float64(rawFlood.Frames) {
		t.Errorf("%.0f were acknowledged", n)
	}
	published, frames := broker.Published(), prebuilt128(t, &rawFlood)
	if len(published) != int(rawFlood.Frames) {
		t.Fatalf("%d were published", len(published))
	}
	for i, p := range published {
		want := frames[i%Cycle]
		if p.Topic != want.topic || !bytes.Equal(p.Payload, want.frame) || p.QoS != 1 || p.Retain || p.Dup {
			t.Fatalf("publish %d is %+v, want %s to %s", i, p, want.frame, want.topic)
		}
	}
}

// rawBroker is the other end of a raw session, and acknowledges what it is told to.
type rawBroker struct {
	conn    net.Conn
	arrived chan uint16 // identifiers
	ended   chan error  // of the session
}

// pipedSession publishes so many through a pipe, to be looked at in a synctest bubble.
func pipedSession(t *testing.T, window int, count uint64) *rawBroker {
	t.Helper()
	near, far := net.Pipe()
	b := &rawBroker{conn: far, arrived: make(chan uint16, 10_000), ended: make(chan error, 1)}
	frames := prebuilt128(t, &rawFlood)
	go func() {
		var acknowledged atomic.Uint64
		session, err := openRawSession(near, frames, window, &acknowledged)
		if err == nil {
			err = session.publish(count)
		}
		_ = near.Close()
		b.ended <- err
	}()
	if packet, err := packets.ReadPacket(far); err != nil || packet.(*packets.ConnectPacket).Validate() != packets.Accepted {
		t.Fatalf("in place of CONNECT came %v, %v", packet, err)
	}
	return b
}

// welcome accepts the session and reads what comes from then on.
func (b *rawBroker) welcome(t *testing.T) {
	t.Helper()
	if err := packets.NewControlPacket(packets.Connack).Write(b.conn); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			packet, err := packets.ReadPacket(b.conn)
			if err != nil {
				return
			}
			b.arrived <- packet.(*packets.PublishPacket).MessageID
		}
	}()
}

func (b *rawBroker) acknowledge(t *testing.T, ids ...uint16) {
	t.Helper()
	var out []byte
	for _, id := range ids {
		out = append(out, puback, idBytes, byte(id>>8), byte(id))
	}
	if _, err := b.conn.Write(out); err != nil {
		t.Fatal(err)
	}
}

// take returns the identifiers that have arrived once nothing moves.
func (b *rawBroker) take() (ids []uint16) {
	synctest.Wait()
	for len(b.arrived) > 0 {
		ids = append(ids, <-b.arrived)
	}
	return ids
}

// TestRawWindow acknowledges in strides of every length: never are there more unacknowledged than the window takes, nor
// fewer.
func TestRawWindow(t *testing.T) {
	for _, window := range []int{1, 2, 100} {
		synctest.Test(t, func(t *testing.T) {
			const count = 70_000 // beyond the identifiers
			b := pipedSession(t, window, count)
			b.welcome(t)
			open, total := b.take(), 0
			for stride := 1; ; stride = stride%window + 1 {
				if want := min(window, count-total); len(open) != want {
					t.Fatalf("window of %d: %d are open after %d PUBACKs, want %d", window, len(open), total, want)
				}
				if len(open) == 0 {
					break
				}
				stride = min(stride, len(open))
				b.acknowledge(t, open[:stride]...)
				open, total = append(open[stride:], b.take()...), total+stride
			}
			if err := <-b.ended; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRawPublisherRefuses(t *testing.T) {
	for want, c := range map[string]struct{ answer []byte }{
		"that of 1 is due": {[]byte{puback, idBytes, 0, 2}},
		"not published":    {[]byte{puback, idBytes, 0, 1, puback, idBytes, 0, 2, puback, idBytes, 0, 3}},
		"in place of":      {[]byte{0x20, 2, 0, 1}},
		"read a PUBACK":    {[]byte{puback, idBytes}},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := pipedSession(t, 2, 2)
			b.welcome(t)
			b.take()
			go func() { _, _ = b.conn.Write(c.answer); _ = b.conn.Close() }()
			if err := <-b.ended; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%x ended the session with %v, want %q", c.answer, err, want)
			}
		})
	}
	for want, answer := range map[string][]byte{
		"not authorised":      {0x20, 2, 0, packets.ErrRefusedNotAuthorised},
		"in place of connack": {puback, idBytes, 0, 1},
		"read connack: eof":   nil,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := pipedSession(t, 1, 1)
			_, _ = b.conn.Write(answer)
			_ = b.conn.Close()
			if err := <-b.ended; err == nil || !strings.Contains(strings.ToLower(err.Error()), want) {
				t.Errorf("CONNACK %x: %v, want %q", answer, err, want)
			}
		})
	}
}
