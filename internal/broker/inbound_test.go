package broker

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

var connected = []byte{0x20, 2, 0, 0}

// pass reads everything through an inbound for which a PUBLISH with identifier 7 awaits its PUBACK.
func pass(r io.Reader) ([]byte, error) {
	a := newAcks(func(uint64) {})
	a.waiting[7] = 1
	return io.ReadAll(newInbound(r, a, func() {}))
}

func TestInboundPasses(t *testing.T) {
	stream := slices.Concat(connected,
		[]byte{0xd0, 0, 0x90, 3, 0, 8, 1, 0x90, 3, 0, 9, 0x80},
		[]byte{0x30, 3, 0, 1, 't'}, []byte{0x3b, 6, 0, 1, 't', 0, 1, 'p'},
		[]byte{0x32, 0xd5, 0x80, 0x80, 0x00, 0, 1, 't', 0, 2}, bytes.Repeat([]byte("x"), 0x55-5), // a length longer than need be
		[]byte{0x31, 0x83, 0xc0, 0x02, 0, 1, 't'}, make([]byte, 40_960),
		[]byte{0xd0, 0})
	for name, r := range map[string]io.Reader{
		"whole":        bytes.NewReader(stream),
		"by bytes":     iotest.OneByteReader(bytes.NewReader(stream)),
		"in halves":    iotest.HalfReader(bytes.NewReader(stream)),
		"with its end": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		if got, err := pass(r); err != nil || !bytes.Equal(got, stream) {
			t.Errorf("%s: %d of %d bytes passed, %v", name, len(got), len(stream), err)
		}
	}
}

func TestInboundPassesOverStrayPubacks(t *testing.T) {
	stray := []byte{0x40, 2, 0xff, 0xff, 0x40, 0x82, 0, 0, 0}
	got, err := pass(bytes.NewReader(slices.Concat(connected, stray, []byte{0xd0, 0}, stray)))
	if want := append(slices.Clone(connected), 0xd0, 0); err != nil || !bytes.Equal(got, want) {
		t.Errorf("% x passed, want % x; %v", got, want, err)
	}
}

func TestInboundRefuses(t *testing.T) {
	for name, packet := range map[string][]byte{
		"type 0":                     {0x00, 0},
		"CONNECT":                    {0x10, 2, 0, 0},
		"second CONNACK":             {0x20, 2, 0, 0},
		"PUBLISH of QoS 2":           {0x34, 6, 0, 1, 't', 0, 1, 'p'},
		"PUBLISH of QoS 3":           {0x36, 6, 0, 1, 't', 0, 1, 'p'},
		"PUBLISH of 17 MB":           {0x30, 0x80, 0x80, 0x80, 0x09},
		"PUBLISH of 256 MB":          {0x32, 0xff, 0xff, 0xff, 0x7f},
		"length of five bytes":       {0x30, 0xff, 0xff, 0xff, 0xff, 0x01},
		"PUBACK with flags":          {0x41, 2, 0, 7},
		"PUBACK of three bytes":      {0x40, 3, 0, 7, 0},
		"PUBACK without identifier":  {0x40, 0},
		"PUBREC":                     {0x50, 2, 0, 7},
		"PUBREL":                     {0x62, 2, 0, 7},
		"PUBCOMP":                    {0x70, 2, 0, 7},
		"SUBSCRIBE":                  {0x82, 6, 0, 1, 0, 1, 't', 1},
		"SUBACK for a PUBLISH":       {0x90, 3, 0, 7, 1},
		"SUBACK with two codes":      {0x90, 4, 0, 8, 1, 1},
		"SUBACK without a code":      {0x90, 2, 0, 8},
		"UNSUBACK":                   {0xb0, 2, 0, 8},
		"PINGREQ":                    {0xc0, 0},
		"PINGRESP with a body":       {0xd0, 1, 0},
		"AUTH":                       {0xf0, 0},
		"DISCONNECT of nobody knows": {0xe1, 0},
	} {
		got, err := pass(bytes.NewReader(slices.Concat(connected, packet)))
		var violation *ProtocolError
		if !errors.As(err, &violation) || !bytes.Equal(got, connected) {
			t.Errorf("%s: %d bytes passed, %v", name, len(got), err)
		}
	}
	if _, err := pass(bytes.NewReader(slices.Concat(connected, []byte{0xe0, 0}))); !errors.Is(err, ErrClosedByBroker) {
		t.Errorf("DISCONNECT: %v", err)
	}
}

func TestInboundEnds(t *testing.T) {
	for _, cut := range []int{1, 2, 3, 5, 7, 9} {
		stream := slices.Concat(connected, []byte{0x40, 2, 0, 7, 0x30, 0x81, 0x01})[:cut]
		got, err := pass(bytes.NewReader(stream))
		if len(got)%4 != 0 || (err != nil && !errors.Is(readError(err), ErrClosedByBroker)) {
			t.Errorf("after %d bytes: %d passed, %v", cut, len(got), err)
		}
	}
}

// Whatever a broker sends: what gets through is packets that paho understands and can live with.
func FuzzInbound(f *testing.F) {
	f.Add([]byte{0x20, 2, 0, 0, 0x40, 2, 0, 1, 0x32, 6, 0, 1, 't', 0, 1, 'p', 0x90, 3, 0, 1, 0x80, 0xd0, 0})
	f.Add([]byte{0x20, 2, 0, 5})
	f.Add([]byte{0x20, 2, 0, 0, 0x30, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, stream []byte) {
		passed, _ := pass(iotest.HalfReader(bytes.NewReader(stream)))
		r := bytes.NewReader(passed)
		for first := true; r.Len() > 0; first = false {
			packet, err := packets.ReadPacket(r)
			if err != nil {
				return // a PUBLISH that is cut off, or lies about its topic
			}
			switch p := packet.(type) {
			case *packets.ConnackPacket:
				if !first || p.ReturnCode != 0 {
					t.Fatalf("%v got through", p)
				}
			case *packets.PublishPacket:
				if p.Qos > 1 {
					t.Fatalf("%v got through", p)
				}
			case *packets.SubackPacket:
				if len(p.ReturnCodes) != 1 || p.MessageID == 7 {
					t.Fatalf("%v got through", p)
				}
			case *packets.PubackPacket:
				if p.MessageID != 7 {
					t.Fatalf("%v got through", p)
				}
			case *packets.PingrespPacket:
			default:
				t.Fatalf("%v got through", p)
			}
		}
	})
}
