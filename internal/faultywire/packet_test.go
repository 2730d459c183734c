package faultywire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestReadPacket(t *testing.T) {
	long := append([]byte{0x32, 0x80, 0x80, 0x01, 0, 1, 't', 0x12, 0x34}, make([]byte, 16384-5)...)
	for name, c := range map[string]struct {
		raw []byte
		id  uint16
		ok  bool
		err error
	}{
		"PINGRESP":                {raw: []byte{0xd0, 0}},
		"PUBACK":                  {raw: []byte{0x40, 2, 0x12, 0x34}, id: 0x1234, ok: true},
		"PUBACK without id":       {raw: []byte{0x40, 1, 0x12}},
		"PUBLISH":                 {raw: []byte{0x32, 5, 0, 1, 't', 0x12, 0x34}, id: 0x1234, ok: true},
		"PUBLISH, long":           {raw: long, id: 0x1234, ok: true},
		"PUBLISH of QoS 0":        {raw: []byte{0x30, 3, 0, 1, 't'}},
		"PUBLISH, lying":          {raw: []byte{0x32, 5, 0xff, 0xff, 't', 0, 1}},
		"PUBLISH, empty":          {raw: []byte{0x32, 0}},
		"SUBACK":                  {raw: []byte{0x90, 3, 0x12, 0x34, 1}},
		"nothing":                 {err: io.EOF},
		"half a header":           {raw: []byte{0x40}, err: io.ErrUnexpectedEOF},
		"half a length":           {raw: []byte{0x40, 0x80}, err: io.ErrUnexpectedEOF},
		"half a body":             {raw: []byte{0x40, 2, 0}, err: io.ErrUnexpectedEOF},
		"length of 256 MB, empty": {raw: []byte{0x30, 0xff, 0xff, 0xff, 0x7f}, err: io.ErrUnexpectedEOF},
		"length of five bytes":    {raw: []byte{0x30, 0xff, 0xff, 0xff, 0xff, 1}, err: errRemainingLength},
	} {
		p, err := ReadPacket(bufio.NewReader(bytes.NewReader(c.raw)))
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", name, err, c.err)
		}
		if err != nil {
			continue
		}
		if id, ok := p.ID(); id != c.id || ok != c.ok || !bytes.Equal(p.Raw, c.raw) {
			t.Errorf("%s: identifier %x, %t of % .20x", name, id, ok, p.Raw)
		}
	}
}

func TestMessage(t *testing.T) {
	for name, c := range map[string]struct {
		raw            []byte
		topic, payload string
		ok             bool
	}{
		"QoS 1":                {[]byte{0x33, 7, 0, 1, 't', 0x12, 0x34, 'h', 'i'}, "t", "hi", true},
		"QoS 0":                {[]byte{0x30, 5, 0, 1, 't', 'h', 'i'}, "t", "hi", true},
		"no payload":           {[]byte{0x32, 5, 0, 1, 't', 0x12, 0x34}, "t", "", true},
		"no identifier":        {[]byte{0x32, 4, 0, 1, 't', 0x12}, "", "", false},
		"a topic that is less": {[]byte{0x30, 3, 0, 2, 't'}, "", "", false},
		"PUBACK":               {[]byte{0x40, 2, 0, 0}, "", "", false},
	} {
		p, err := ReadPacket(bufio.NewReader(bytes.NewReader(c.raw)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if topic, payload, ok := p.Message(); topic != c.topic || string(payload) != c.payload || ok != c.ok {
			t.Errorf("%s: %q, %q, %t", name, topic, payload, ok)
		}
	}
}

// A stream taken apart and put together is the same stream, up to where it is no MQTT any more.
func FuzzReadPacket(f *testing.F) {
	f.Add([]byte{0x10, 2, 'x', 'y', 0x32, 5, 0, 1, 't', 0, 1, 0x40, 2, 0, 1, 0xd0, 0})
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(stream), 16)
		var whole []byte
		for {
			p, err := ReadPacket(r)
			if err != nil {
				if errors.Is(err, io.EOF) && !bytes.Equal(whole, stream) {
					t.Fatalf("% x became % x", stream, whole)
				}
				break
			}
			_, _ = p.ID()
			_, _ = p.QoS(), p.Retain()
			if topic, payload, ok := p.Message(); ok && !bytes.HasSuffix(p.Raw, payload) || len(topic) > len(p.Raw) {
				t.Fatalf("% x has the topic %q and the payload % x", p.Raw, topic, payload)
			}
			whole = append(whole, p.Raw...)
		}
		if !bytes.HasPrefix(stream, whole) {
			t.Fatalf("% x became % x", stream, whole)
		}
	})
}
