package source

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"bufio"
)

// oneAnswer is a server that answers each request with the body.
func oneAnswer(body []byte) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer func() { _ = theirs.Close() }()
			if _, err := http.ReadRequest(bufio.NewReader(theirs)); err != nil {
				return
			}
			_, _ = io.WriteString(theirs, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
			_, _ = theirs.Write(body)
		}()
		return ours, nil
	}
}

// FuzzHistory answers with whatever a server could: reading it never panics and always ends, each frame is in the answer
// byte for byte, and of an answer that is a JSON array of messages nothing is missing.
func FuzzHistory(f *testing.F) {
	one, two := element(1), element(2)
	for _, seed := range []string{
		"", "[", "[]", " [ ] ", "[" + one + "]", "[" + one + "," + two + "]", "[" + one + "," + one + "]", "[" + one, "[" + one + "," + two + "] x",
		`[{"id":1,"message":{"type":"uplink"}}]`, `[{"message":{"type":"a\"]}"},"id":"\u0031"}]`, `[{"id":"","message":{}}]`, `[{}]`, "[[]]", "[,]", `[{"a":"\`,
		`{"error":"no"}`, "null", "[" + one + "," + two + "," + element(3) + "," + element(4) + "]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		const page = 4
		o := HistoryOptions{URL: "http://ns.example/", Dial: oneAnswer(answer), PageFrames: page, MaxFrameBytes: 1 << 16}
		discarded := 0
		o.Discarded = func(Discard) { discarded++ }
		var got [][]byte
		requests := 0
		dial := o.Dial
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if requests++; requests > 20 {
				return nil, io.ErrClosedPipe // it answers every page alike, which may have no end
			}
			return dial(ctx, network, address)
		}
		err := ReadHistory(t.Context(), o, time.Unix(1, 0), time.Unix(2, 0), func(frames []Frame) error {
			for _, frame := range frames {
				if !bytes.Contains(answer, frame.Raw) {
					t.Errorf("frame %q is not in the answer", frame.Raw)
				}
				got = append(got, frame.Raw)
			}
			return nil
		})
		var all []json.RawMessage
		if json.Unmarshal(answer, &all) == nil && len(all) > 0 && len(all) <= page && all[0][0] == '{' && err == nil && len(got) == 0 && discarded == 0 {
			t.Errorf("nothing was read or discarded of %d elements", len(all))
		}
	})
}
