package buffer

import (
	"bytes"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lorry-mqtt/lorry/internal/dataapi"
)

func frames(raw ...string) (out []dataapi.Frame) {
	for _, r := range raw {
		out = append(out, dataapi.Frame{Raw: []byte(r)})
	}
	return out
}

func TestPackKeepsEveryByte(t *testing.T) {
	for name, in := range map[string][]dataapi.Frame{
		"one":      frames(`{"type":"uplink"}`),
		"several":  frames(`{"type":"uplink"}`, " {\n\"type\" : \"info\"}\n", `{"type":"error"}`),
		"no bytes": frames("", "a", ""),
	} {
		t.Run(name, func(t *testing.T) {
			var msg nats.Msg
			pack(&msg, 7, in, 12.5, 3.25)
			out, err := unpack(msg.Header, msg.Data, 3, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			if out.First != 7 || out.Seq != 3 || len(out.Frames) != len(in) || timeIn(msg.Header, headerTime) != 12.5 || timeIn(msg.Header, headerReplay) != 3.25 {
				t.Fatalf("unpacked %+v", out)
			}
			for i := range in {
				if !bytes.Equal(out.Frames[i].Raw, in[i].Raw) {
					t.Errorf("frame %d: %q, want %q", i, out.Frames[i].Raw, in[i].Raw)
				}
			}
		})
	}
}

func TestBatchCuts(t *testing.T) {
	b := Batch{First: 10, Frames: frames("a", "b", "c")}
	for _, c := range []struct {
		after uint64
		first uint64
		n     int
	}{{0, 10, 3}, {9, 10, 3}, {10, 11, 2}, {12, 13, 0}, {99, 13, 0}} {
		if got := b.After(c.after); got.First != c.first || len(got.Frames) != c.n {
			t.Errorf("After(%d) = first %d with %d frames, want %d with %d", c.after, got.First, len(got.Frames), c.first, c.n)
		}
	}
	if got := b.Head(2); len(got.Frames) != 2 || got.Last() != 11 {
		t.Errorf("Head(2) = %+v", got)
	}
}

// FuzzUnpack feeds anything that could lie in the stream: no panic, and what is accepted is packed to the same
// bytes again.
func FuzzUnpack(f *testing.F) {
	f.Add("1", "3 2", []byte("abcde"))
	f.Add("18446744073709551615", "", []byte(`{"type":"uplink"}`))
	f.Add("0", "0 0", []byte{})
	f.Fuzz(func(t *testing.T, first, sizes string, data []byte) {
		header := nats.Header{headerFirst: {first}}
		if sizes != "" {
			header[headerSizes] = []string{sizes}
		}
		b, err := unpack(header, data, 1, time.Time{})
		if err != nil {
			return
		}
		var total []byte
		for _, f := range b.Frames {
			total = append(total, f.Raw...)
		}
		if !bytes.Equal(total, data) {
			t.Fatalf("unpacked %q from %q", total, data)
		}
		var msg nats.Msg
		pack(&msg, b.First, b.Frames, 0, 0)
		again, err := unpack(msg.Header, msg.Data, 1, time.Time{})
		if err != nil || len(again.Frames) != len(b.Frames) || again.First != b.First {
			t.Fatalf("packed again: %+v, %v", again, err)
		}
	})
}
