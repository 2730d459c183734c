package part

import (
	"bufio"
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
)

func TestReader(t *testing.T) {
	for _, size := range []int{200, 560, 70_000} {
		flood := Flood{Frames: 300, Size: size, Epoch: 1_700_000_000}
		ns := running(t, func(listen string) func(context.Context) error { return NS{Listen: listen, Flood: flood}.Run })
		numbers := running(t, func(listen string) func(context.Context) error {
			return Reader{Listen: listen, NS: ns, Flood: flood}.Run
		})
		if n := awaitNumber(t, numbers, ReaderReceived, 300); n != 300 {
			t.Errorf("%.0f frames of %d bytes came", n, size)
		}
	}
}

func TestReaderReads(t *testing.T) {
	text := []byte{0x81, 3, 'a', 'b', 'c'}
	for name, c := range map[string]struct {
		in       []byte
		received uint64
		fails    string
	}{
		"two frames":           {bytes.Repeat(text, 2), 2, ""},
		"a PONG between":       {bytes.Join([][]byte{text, text}, []byte{0x8a, 1, '?'}), 2, ""},
		"of another length":    {[]byte{0x81, 2, 'a', 'b'}, 0, "it has 2 bytes"},
		"16 bits of length":    {append([]byte{0x81, 126, 1, 0}, make([]byte, 256)...), 0, "it has 256 bytes"},
		"64 bits of length":    {append([]byte{0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}, make([]byte, 1<<16)...), 0, "it has 65536 bytes"},
		"masked":               {[]byte{0x81, 0x83, 1, 2, 3, 4, 'a', 'b', 'c'}, 0, "masked"},
		"closed":               {append(bytes.Clone(text), 0x88, 2, 3, 0xe9), 1, "has closed"},
		"ends within a header": {text[:1], 0, "EOF"},
		"ends within a frame":  {text[:4], 0, "EOF"},
	} {
		var received atomic.Uint64
		r := Reader{Flood: Flood{Frames: 2, Size: 3}}
		err := r.read(bufio.NewReader(bytes.NewReader(c.in)), &received)
		if received.Load() != c.received || (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %d frames, %v", name, received.Load(), err)
		}
	}
}

// TestReaderNeedsANetworkServer dials what is something else.
func TestReaderNeedsANetworkServer(t *testing.T) {
	flood := Flood{Frames: 1, Size: 560}
	numbers := running(t, func(listen string) func(context.Context) error {
		return func(ctx context.Context) error {
			return show(ctx, listen, nil, func(ctx context.Context) error { <-ctx.Done(); return nil })
		}
	})
	err := Reader{Listen: "127.0.0.1:0", NS: numbers, Flood: flood}.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no upgrade: 200 OK") {
		t.Errorf("got %v", err)
	}
}
