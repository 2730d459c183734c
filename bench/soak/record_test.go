package soak

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/lorry-mqtt/lorry/internal/faultywire"
	"github.com/lorry-mqtt/lorry/internal/source/simulator"
)

const live = `{"type":"uplink","meta":{"device":"70b3d57ed0000001","time":1.5},"params":{"port":1}}`

// packet is a PUBLISH with identifier 1; the flags are QoS and retain.
func packet(t *testing.T, flags byte, topic, payload string) faultywire.Packet {
	t.Helper()
	body := append([]byte{0, byte(len(topic))}, topic...)
	if flags&6 != 0 {
		body = append(body, 0, 1)
	}
	body = append(body, payload...)
	raw := append([]byte{0x30 | flags, byte(len(body)&0x7f | 0x80), byte(len(body) >> 7)}, body...)
	p, err := faultywire.ReadPacket(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newTestRecord() *record {
	l := newLedger(time.Now())
	l.Generated(simulator.Message{N: 1, Type: "uplink", Device: "70b3d57ed0000001", Raw: []byte(live)})
	l.Sent(simulator.Sent{N: 1, Stream: 1, Raw: []byte(live)})
	return newRecord(l)
}

// TestRecordFindsDamage checks every way in which a PUBLISH can differ from what was sent.
func TestRecordFindsDamage(t *testing.T) {
	const topic = "soak/uplink/70b3d57ed0000001"
	for name, c := range map[string]struct {
		flags          byte
		topic, payload string
		n              uint32
		damage         string
	}{
		"as it should be":      {2, topic, live, 1, ""},
		"a space more":         {2, topic, strings.Replace(live, ":", ": ", 1), 1, "other bytes"},
		"never sent as replay": {2, topic, strings.Replace(live, `"time"`, `"history":true,"time"`, 1), 1, "other bytes"},
		"another number":       {2, topic, strings.Replace(live, "1.5", "1.50", 1), 0, ""},
		"no JSON":              {2, topic, "hello", 0, ""},
		"wrong topic":          {2, topic + "2", live, 1, "instead of"},
		"QoS 0":                {0, topic, live, 1, "QoS 0"},
		"retained":             {3, topic, live, 1, "retained"},
	} {
		r := newTestRecord()
		r.Published(1, packet(t, c.flags, c.topic, c.payload))
		got := r.all()[0]
		if got.n != c.n || !strings.Contains(got.damage, c.damage) || (got.damage == "") != (c.damage == "") {
			t.Errorf("%s: message %d, %q", name, got.n, got.damage)
		}
		if kept := got.content != nil; kept != (c.n == 0 || c.damage != "") {
			t.Errorf("%s: content kept: %t", name, kept)
		}
	}
}

// TestRecordFollowsPubacks: the same identifier on two links, then again on one.
func TestRecordFollowsPubacks(t *testing.T) {
	r := newTestRecord()
	p := packet(t, 2, "soak/uplink/70b3d57ed0000001", live)
	for _, link := range []int{1, 2} {
		r.Published(link, p)
	}
	r.Acknowledged(1, 1) // lost on its way
	r.Acknowledged(2, 1)
	r.Passed(2, 1)
	r.Acknowledged(2, 1) // for nothing
	r.Published(2, p)
	r.Acknowledged(2, 1)
	r.Passed(2, 1)
	all := r.all()
	if all[0].acked == 0 || all[0].passed != 0 || all[1].acked == 0 || all[1].place != 1 || all[2].acked == 0 || all[2].place != 2 {
		t.Errorf("recorded %+v", all)
	}
	if r.delivered() != 1 {
		t.Errorf("%d messages were delivered", r.delivered())
	}
}
