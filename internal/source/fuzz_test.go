package source

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // RFC 6455 §4.2.2 prescribes it
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

// acceptKey answers a Sec-WebSocket-Key (RFC 6455 §4.2.2).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // as above
	return base64.StdEncoding.EncodeToString(sum[:])
}

// afterHandshake is a server that accepts the upgrade, writes stream and closes.
func afterHandshake(stream []byte) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer func() { _ = theirs.Close() }()
			in := bufio.NewReader(theirs)
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, in) }()
			_, _ = io.WriteString(theirs, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
				"Sec-WebSocket-Accept: "+acceptKey(r.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n")
			_, _ = theirs.Write(stream)
		}()
		return ours, nil
	}
}

// FuzzStream feeds a session whatever a server could send after the handshake: it never panics and always ends, and
// each of its frames is a message that was in the stream.
func FuzzStream(f *testing.F) {
	message := `{"type":"uplink","meta":{"device":"d1","time":1.5}}`
	frame := textFrame(message)
	for _, seed := range [][]byte{
		nil, frame, bytes.Repeat(frame, 3), frame[:20], textFrame("nonsense"), textFrame(strings.Repeat("x", 5000)),
		{0x89, 0x01, 'p'}, {0x8a, 0x00}, {0x88, 0x00}, {0x88, 0x02, 0x03, 0xe8}, {0x88, 0x01, 0x03}, {0x88, 0x02, 0x03, 0xed},
		{0x82, 0x01, 0x00}, {0x81, 0x81, 1, 2, 3, 4, 5}, {0xc1, 0x00}, {0x80, 0x00}, {0x8b, 0x00}, {0x09, 0x00}, {0x89, 0x7e, 0, 200},
		{0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x81, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		append(append([]byte{0x01, 0x05}, message[:5]...), append([]byte{0x80, byte(len(message) - 5)}, message[5:]...)...),
		append(append([]byte{0x01, 0x05}, message[:5]...), append([]byte{0x8a, 0x00, 0x80, byte(len(message) - 5)}, message[5:]...)...),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		const limit = 4096
		s, err := DialWebSocket(t.Context(), WebSocketOptions{
			URL: "ws://ns.example/", Dial: afterHandshake(stream), MaxFrameBytes: limit,
			Discarded: func(d Discard) {
				if d.Reason == "" || len(d.Head) > MaxDiscardHead || int64(len(d.Head)) > d.Size || (d.Reason == DiscardOversize) != (d.Size > limit) {
					t.Errorf("discarded %+v", d)
				}
			},
		})
		if err != nil {
			t.Fatalf("dial: %v", err)
		}
		defer func() { _ = s.Close() }()
		for {
			frames, err := s.Read(t.Context())
			if end, ok := errors.AsType[*EndedError](err); ok {
				if end.Reason == EndClosed || end.Reason == EndSilence || end.Error() == "" {
					t.Fatalf("ended by %v", end)
				}
				return
			}
			if err != nil || len(frames) == 0 {
				t.Fatalf("read %d frames, %v", len(frames), err)
			}
			for _, frame := range frames {
				if envelope, err := dataapi.Scan(frame.Raw); err != nil || envelope.Type != frame.Envelope.Type || len(frame.Raw) > limit {
					t.Errorf("frame %q, %v", frame.Raw, err)
				}
			}
		}
	})
}
